"""The segments of a JPEG file: what they say of its frame, tables and scans (ITU-T T.81, annexes B and G).

Read for JPEGs of 8 bits that are coded by Huffman codes, sequential or progressive. Anything else is an Unsupported.
"""

from dataclasses import dataclass, field

COEFFICIENTS = 64                        # of a block
MOST_SCANS = 1_000
_MOST_COMPONENTS, _MOST_SAMPLING, _MOST_LOW = 4, 4, 10
_START_OF_IMAGE, _END_OF_IMAGE = 0xD8, 0xD9
_HUFFMAN, _START_OF_SCAN, _QUANTISATION, _RESTARTS = 0xC4, 0xDA, 0xDB, 0xDD
_FRAMES = {0xC0: False, 0xC1: False, 0xC2: True}       # whether it is progressive
_OTHER_FRAMES = {*range(0xC3, 0xD0), 0xDC, 0xDE, 0xDF} - {_HUFFMAN}
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD8)}


class Unsupported(ValueError):
    """No JPEG, or none of the sort that is read here."""


@dataclass(frozen=True)
class Component:
    """One colour of a frame. Blocks of scans with several components are filled up to whole units (MCUs)."""

    name: int
    across: int                          # sampling factors: blocks of a unit
    down: int
    table: int                           # of quantisation
    high: int                            # blocks, filled up
    wide: int
    own_high: int                        # blocks that the picture reaches into
    own_wide: int


@dataclass(frozen=True)
class Frame:
    """What is coded: of which size, in which components."""

    height: int                          # pixels
    width: int
    progressive: bool
    components: tuple[Component, ...]
    units_high: int                      # of scans with several components
    units_wide: int

    @property
    def blocks(self) -> int:
        """Blocks of all components together."""
        return sum(component.high * component.wide for component in self.components)


@dataclass(frozen=True)
class Scan:
    """What one scan codes: coefficients `first` to `last` of some components, from bit `low` up; only that bit where `high` is not 0."""

    components: tuple[int, ...]          # indices into the frame's
    dc_tables: tuple[bytes, ...]         # for each of these: 16 counts of codes by length, then symbols; b"" where there is none
    ac_tables: tuple[bytes, ...]
    first: int
    last: int
    high: int
    low: int
    restart: int                         # units from one restart to the next; 0: there are none

    def units(self, frame: Frame) -> tuple[int, int]:
        """(high, wide): how many units it has. That of a single component is a block that the picture reaches into."""
        if len(self.components) > 1:
            return frame.units_high, frame.units_wide
        component = frame.components[self.components[0]]
        return component.own_high, component.own_wide

    @property
    def corrects(self) -> bool:
        """Whether it gives one more bit of coefficients of which others came before."""
        return self.high > 0


@dataclass
class Headers:
    """All that segments have said so far."""

    frame: Frame | None = None
    scans: list[Scan] = field(default_factory=list)
    quantisation: dict[int, tuple[int, ...]] = field(default_factory=dict)     # by component: that of its first scan
    _tables: dict[int, tuple[int, ...]] = field(default_factory=dict)
    _codes: dict[int, bytes] = field(default_factory=dict)                      # by class * 16 + number
    _restart: int = 0

    def read(self, data: bytes, at: int) -> tuple[int, bool]:
        """Read segments from `at` on: (where they end, whether a scan follows). Else the file ends there.

        Bytes between segments are passed over, as decoders do. Raises Unsupported.
        """
        while True:
            at = data.find(b"\xff", at)
            if at < 0 or at + 1 >= len(data):
                return len(data), False
            marker = data[at + 1]
            if marker == 0xFF:                          # a fill byte
                at += 1
                continue
            at += 2
            if marker == _END_OF_IMAGE:
                return at, False
            if marker == 0 or marker == _START_OF_IMAGE or marker in _WITHOUT_LENGTH:
                continue
            size = int.from_bytes(data[at:at + 2], "big")
            if size < 2 or at + size > len(data):
                if not self.scans:
                    raise Unsupported("a segment is cut short")
                return len(data), False
            self._take(marker, data[at + 2:at + size])
            at += size
            if marker == _START_OF_SCAN:
                return at, True

    def _take(self, marker, body):
        if marker in _FRAMES:
            self._take_frame(body, _FRAMES[marker])
        elif marker in _OTHER_FRAMES:
            raise Unsupported("lossless, hierarchical or arithmetically coded")
        elif marker == _HUFFMAN:
            self._take_codes(body)
        elif marker == _QUANTISATION:
            self._take_tables(body)
        elif marker == _RESTARTS:
            if len(body) != 2:
                raise Unsupported("a restart interval of another length")
            self._restart = int.from_bytes(body, "big")
        elif marker == _START_OF_SCAN:
            self._take_scan(body)

    def _take_frame(self, body, progressive):
        if self.frame or len(body) < 6 or body[0] != 8 or len(body) != 6 + 3 * body[5] or not 1 <= body[5] <= _MOST_COMPONENTS:
            raise Unsupported("a second frame, or none of 8 bits and up to four components")
        height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
        fields = [(body[at], body[at + 1] >> 4, body[at + 1] & 15, body[at + 2]) for at in range(6, len(body), 3)]
        if not height or not width or len({name for name, *_ in fields}) < len(fields) \
                or not all(1 <= factor <= _MOST_SAMPLING for _, across, down, _ in fields for factor in (across, down)):
            raise Unsupported("a frame of no size, or of such components")
        most_across, most_down = (max(entry[index] for entry in fields) for index in (1, 2))
        units_high, units_wide = _up(height, 8 * most_down), _up(width, 8 * most_across)
        components = []
        for name, across, down, table in fields:
            own_high, own_wide = _up(_up(height * down, most_down), 8), _up(_up(width * across, most_across), 8)
            high, wide = (units_high * down, units_wide * across) if len(fields) > 1 else (own_high, own_wide)
            components.append(Component(name, across, down, table, high, wide, own_high, own_wide))
        self.frame = Frame(height, width, progressive, tuple(components), units_high, units_wide)

    def _take_codes(self, body):
        at = 0
        while at < len(body):
            size = sum(body[at + 1:at + 17])
            if len(body) < at + 17 + size or size > 256 or body[at] & 0xEC:
                raise Unsupported("a Huffman table that is none")
            self._codes[body[at]] = body[at + 1:at + 17 + size]
            at += 17 + size

    def _take_tables(self, body):
        at = 0
        while at < len(body):
            wide, number = body[at] >> 4, body[at] & 15
            each = 2 if wide else 1
            values = body[at + 1:at + 1 + COEFFICIENTS * each]
            if wide > 1 or number > 3 or len(values) < COEFFICIENTS * each:
                raise Unsupported("a quantisation table that is none")
            self._tables[number] = tuple(int.from_bytes(values[place:place + each], "big") for place in range(0, len(values), each))
            at += 1 + len(values)

    def _take_scan(self, body):
        count = body[0] if body else 0
        if not self.frame or not 1 <= count <= len(self.frame.components) or len(body) != 4 + 2 * count or len(self.scans) == MOST_SCANS:
            raise Unsupported("a scan that is none, or too many of them")
        names = [component.name for component in self.frame.components]
        chosen, dc, ac = [], [], []
        for at in range(1, 1 + 2 * count, 2):
            if body[at] not in names or names.index(body[at]) in chosen:
                raise Unsupported("a scan of no such components")
            chosen.append(names.index(body[at]))
            dc.append(self._codes.get(body[at + 1] >> 4, b""))
            ac.append(self._codes.get(16 | body[at + 1] & 15, b""))
        first, last, high, low = body[-3], body[-2], body[-1] >> 4, body[-1] & 15
        if not self.frame.progressive:
            first, last, high, low = 0, COEFFICIENTS - 1, 0, 0           # whatever is written there
        elif not first <= last < COEFFICIENTS or (first == 0 and last > 0) or (first > 0 and count > 1) or low > _MOST_LOW \
                or (high and high != low + 1):
            raise Unsupported("a progressive scan of no such coefficients")
        for index in chosen:
            values = self._tables.get(self.frame.components[index].table, (1,) * COEFFICIENTS)
            self.quantisation.setdefault(index, tuple(max(value, 1) for value in values))
        self.scans.append(Scan(tuple(chosen), tuple(dc), tuple(ac), first, last, high, low, self._restart))


def _up(number, by):
    """A quotient, rounded up."""
    return -(-number // by)
