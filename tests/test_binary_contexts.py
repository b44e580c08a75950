"""lib.mixing.kinds: what the contexts of binary data find out, and that decoding sees what encoding saw."""

import random

import numpy as np
import pytest

from lib.coders.arithmetic import ArithmeticCoder
from lib.coding.streams import Streams
from lib.mixing.context_mixer import ContextMixer
from lib.mixing.kinds import records, x86
from lib.settings import Settings
from lib.sources.bytes import ByteSource


def made_up_records(length, count, seed=1):
    """Records of a constant tag, a counter, small numbers and noise."""
    generator = random.Random(seed)
    made = bytearray()
    for number in range(count):
        record = bytearray(b"\xa7\x31" + number.to_bytes(3, "little"))
        record += bytes(generator.choice((0, 0, 0, generator.randrange(200))) for _ in range(length - 7))
        made += record + generator.randbytes(2)
    return bytes(made)


def lengths_found(data, start=0):
    """The record length after each byte of `data`, that lies in a stream from `start` on."""
    codes = np.concatenate([np.full(start, 7), np.frombuffer(data, np.uint8)]).astype(np.uint16)
    state = np.zeros(records.STATE, np.int64)
    found = []
    for place in range(start, len(codes)):
        records.take(state, codes, start, place)
        found.append(int(records.length_of(state)))
    return found


@pytest.mark.parametrize("length", (12, 28, 100, 300))
def test_the_record_length_is_found(length):
    assert lengths_found(made_up_records(length, 2 + 6000 // length))[-1] == length


def test_the_record_length_follows_the_data_and_settles():
    parts = [made_up_records(12, 500), made_up_records(100, 80), made_up_records(36, 200)]
    found = lengths_found(b"".join(parts))
    ends = np.cumsum([len(part) for part in parts])
    for length, end in zip((12, 100, 36), ends, strict=True):
        assert set(found[end - 2000:end]) == {length}


@pytest.mark.parametrize("longer, expected", [(27, [8, 8, 27, 27, 27, 8]), (24, [8, 8, 24, 24, 8, 8])])
def test_another_length_has_to_be_clearly_better_but_for_a_part_of_the_present_one(longer, expected):
    state, codes = np.zeros(records.STATE, np.int64), np.zeros(16, np.uint16)
    chosen = []
    for score in (1000, 1100, 1200, 1100, 950, 800):      # of the longer one; length 8 has 1000
        state[records.STATE - 8], state[records.STATE - longer] = 1000 << 20, score << 20
        records.take(state, codes, 0, 15)
        chosen.append(int(records.length_of(state)))
    assert chosen == expected


def test_a_stream_knows_nothing_of_the_one_before():
    data = made_up_records(20, 60)
    assert lengths_found(data, start=300) == lengths_found(data)


def test_logarithms_are_whole_numbers():
    table = records._logarithms(4097)
    assert [table[1 << bits] for bits in range(13)] == [256 * bits for bits in range(13)]
    assert np.array_equal(table[1:], np.floor(256 * np.log2(np.arange(1, 4097)) + 1e-9))


# As an assembler has them
INSTRUCTIONS = """
    55                              push rbp
    48 89 e5                        mov rbp, rsp
    8b 45 f8                        mov eax, [rbp - 8]
    8b 8c 84 45 23 01 00            mov ecx, [rsp + rax * 4 + 0x12345]
    48 8b 15 00 20 00 00            mov rdx, [rip + 0x2000]
    c7 05 f0 1f 00 00 07 00 00 00   mov dword [rip + 0x1ff0], 7
    48 8d 34 dd 00 10 00 00         lea rsi, [rbx * 8 + 0x1000]
    0f b6 07                        movzx eax, byte [rdi]
    0f 85 fa 0f 00 00               jne
    e8 fb 04 00 00                  call
    66 b8 34 12                     mov ax, 0x1234
    48 b8 88 77 66 55 44 33 22 11   mov rax, 0x1122334455667788
    f7 c1 00 00 01 00               test ecx, 0x10000
    f7 d1                           not ecx
    6b c3 64                        imul eax, ebx, 100
    66 0f 38 00 c1                  pshufb xmm0, xmm1
    66 0f 3a 0f c1 05               palignr xmm0, xmm1, 5
    eb 03                           jmp
    90                              nop
    c2 08 00                        ret 8
    c3                              ret
"""


class Decoder:
    """lib.mixing.kinds.x86 over bytes from a place on."""

    def __init__(self, place=0):
        self.state, self.targets, self.place = np.zeros(x86.STATE, np.int64), np.zeros(x86.TARGETS, np.int64), place

    def take(self, code):
        """Takes bytes in; returns what was predicted of each, as a list of three: the byte or None."""
        predicted = []
        for byte in code:
            values = x86.predicted(self.state, self.targets, self.place)
            predicted.append([None if value == x86.NO_PREDICTION else value & 255 for value in values])
            x86.take(self.state, self.targets, byte, self.place)
            self.place += 1
        return predicted

    @property
    def between_instructions(self):
        return self.state[x86.PART] == x86.OPCODE and self.state[x86.SO_FAR] == 0


def test_instructions_end_where_they_do():
    decoder = Decoder()
    for line in INSTRUCTIONS.strip().splitlines():
        code = bytes.fromhex(line.strip().split("   ")[0])
        for index, byte in enumerate(code):
            assert decoder.between_instructions == (index == 0), line
            decoder.take([byte])
        assert decoder.between_instructions, line


def test_parts_of_an_instruction():
    decoder, parts = Decoder(), []
    for byte in bytes.fromhex("0f ba a4 84 45 23 01 00 05"):            # bt dword [rsp + rax * 4 + 0x12345], 5
        parts.append((int(decoder.state[x86.PART]), int(decoder.state[x86.INDEX])))
        decoder.take([byte])
    assert parts == [(x86.OPCODE, 0), (x86.OPCODE_0F, 0), (x86.MODRM, 0), (x86.SIB, 0),
                     *((x86.DISPLACEMENT, index) for index in range(4)), (x86.IMMEDIATE, 0)]


def distance(target, end):
    return ((target - end) & 0xFFFFFFFF).to_bytes(4, "little")


@pytest.mark.parametrize("opcode, after", [("e8", ""), ("e9", ""), ("0f 85", ""), ("48 8b 15", ""),
                                           ("c7 05", "07 00 00 00")])
def test_targets_are_predicted_the_second_time(opcode, after):
    opcode, after = bytes.fromhex(opcode), bytes.fromhex(after)
    decoder = Decoder(place=5_000)
    for time, target in enumerate((1_234, 1_234, 70_000_000, 70_000_000)):
        decoder.take(b"\x90" * (3 + 7 * time))
        assert decoder.take(opcode) == [[None] * 3] * len(opcode)
        field = distance(target, decoder.place + 4 + len(after))
        predicted = decoder.take(field)
        assert all(byte is not None for row in predicted for byte in row)
        if time % 2:
            assert [row[0] for row in predicted] == list(field)
        assert decoder.take(after) == [[None] * 3] * len(after)
        assert decoder.between_instructions


def test_a_target_is_known_by_its_lowest_bytes():
    decoder = Decoder()
    for target in (0x123456, 0x77AA12, 0x123456):
        decoder.take(b"\x90\xe8")
        field = distance(target, decoder.place + 4)
        predicted = decoder.take(field)
    assert [row[0] for row in predicted][1:] == list(field)[1:]


def test_the_decoder_holds_out_on_any_bytes():
    decoder = Decoder()
    for byte in random.Random(5).randbytes(20_000):
        decoder.take([byte])
        assert 0 <= x86.position(decoder.state) < x86.POSITIONS
        assert 0 <= decoder.state[x86.OPERATION] < 512


def coded(data, batch_size):
    """(payload, fingerprint, the decoded bytes, the decoder's fingerprint)."""
    source, streams = ByteSource.from_bytes(data), Streams(len(data), batch_size)
    settings = Settings(preset="fast", contexts="binary", batch_size=batch_size, table_bits=14).resolve(len(data))

    def run(coder, symbols):
        mixer, active = ContextMixer(settings, source, streams), streams.active(np.arange(streams.steps))
        for step in range(0, streams.steps, 100):
            mixer.code_steps(coder, symbols[step:step + 100], active[step:step + 100], step)
        return mixer.fingerprint()

    coder, decoded = ArithmeticCoder(), streams.empty()
    fingerprint = run(coder, streams.lay_out(source.symbols()))
    payload = coder.finish()
    return payload, fingerprint, run(ArithmeticCoder(payload), decoded), source.restore(streams.join(decoded)) == data


def machine_code(size):
    """Instructions and calls of the same few places."""
    generator, lines = random.Random(8), INSTRUCTIONS.strip().splitlines()
    instructions = [bytes.fromhex(line.strip().split("   ")[0]) for line in lines]
    code = b""
    while len(code) < size:
        code += generator.choice(instructions)
        if generator.random() < 0.3:
            code += b"\xe8" + distance(generator.choice((100, 2_000, 77_777)), len(code) + 5)
    return code[:size]


DATA = {
    "random": random.Random(2).randbytes(700),
    "records": made_up_records(12, 60) + made_up_records(40, 20),
    "code": machine_code(1_500),
    "zeros": bytes(500),
    "ones": b"\xff" * 500,
    "all values": bytes(range(256)) * 3,
}


@pytest.mark.parametrize("batch_size", (1, 2, 5, 16))
@pytest.mark.parametrize("name", DATA)
def test_round_trip(name, batch_size):
    payload, encoded, decoded, same = coded(DATA[name], batch_size)
    assert same and encoded == decoded
    assert len(payload) < 1.1 * len(DATA[name]) + 20


@pytest.mark.parametrize("size", (*range(1, 10), 16, 17, 33, 40))
@pytest.mark.parametrize("batch_size", (1, 2, 5, 40))
def test_round_trip_of_tiny_inputs(size, batch_size):
    for data in (bytes(size), b"\xff" * size, random.Random(size).randbytes(size), (b"\x00\xff\xff" * size)[:size]):
        _, encoded, decoded, same = coded(data, batch_size)
        assert same and encoded == decoded


def test_records_and_code_are_made_small():
    assert len(coded(made_up_records(12, 60) * 2, 1)[0]) < 0.4 * 2 * 12 * 60
    assert len(coded(machine_code(3_000), 1)[0]) < 0.35 * 3_000
