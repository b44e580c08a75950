"""What the tests share: tiny networks, inputs made here, and .lks files put together by hand."""

import dataclasses
import hashlib
import io
import random
import struct
import zlib

import msgpack
import numpy as np

from lib.coding.container import MAGIC, VERSION, Header, Reader, Segment, Writer
from lib.compression import compress, decompress
from lib.settings import Settings

TEXT = b"It was the best of times, it was the worst of times, it was the age of wisdom. " * 7
NOISE = random.Random(7).randbytes(2_000)       # looks like compressed data
TINY = dict(preset="network", batch_size=3, seq_length=3, update_interval=2, rnn_units=8, num_layers=1, embedding_size=4)
SYMBOLS = 5                                     # the vocabulary of what a network alone is tested with
# A command line for python -c. Python raises KeyboardInterrupt on SIGINT only where it was not started with SIGINT ignored.
INTERRUPTIBLE = ("import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
                 "hasattr(signal, 'SIGHUP') and signal.signal(signal.SIGHUP, signal.SIG_DFL); "      # as nohup ignores it
                 "from lib.__main__ import main; sys.exit(main(sys.argv[1:]))")
STREAMS = TINY["batch_size"]
FAST = Settings(preset="fast")


def tiny(**changes):
    """Settings of a network that codes a short text in a second."""
    return Settings(**TINY | changes)


def matrix(*rows):
    """Symbols of a few steps: a row for each, a column for each stream."""
    return np.array(rows, np.uint16)


ANY_SYMBOLS = matrix([0, 1, 2], [3, 4, 0], [1, 1, 1], [4, 0, 2], [2, 3, 3], [0, 0, 4])


def walk(model, symbols, active=STREAMS):
    """Let a model predict and learn each row of symbols; returns the bits they cost."""
    bits = 0.0
    for row in symbols:
        rows = model.predict()
        chosen = rows[np.arange(active), row[:active]]
        bits += np.log2(rows[:active].sum(1, dtype=np.int64) / chosen).sum()
        model.learn(row, active, row[:, None])
    return bits


def deflated_by_chance(data):
    """A stream (RFC 1950) of an encoder that takes any match, or none, by chance: no recipe for it is small. For data of long runs."""
    chance, place, bits = random.Random(1), 0, "1" + "10"            # the last block, of fixed codes, whose bits are the lowest first

    while place < len(data):
        run = len(data[place:place + 10]) - len(data[place:place + 10].lstrip(data[place - 1:place] or b"?"))
        if run >= 3 and chance.random() < 0.7:
            length = chance.randrange(3, run + 1)
            bits += f"{length - 2:07b}" + "00000"                    # so long a match, at distance 1
            place += length
        else:
            bits += f"{48 + data[place]:08b}" if data[place] < 144 else f"{256 + data[place]:09b}"
            place += 1
    bits += "0" * 7
    bits += "0" * (-len(bits) % 8)
    packed = bytes(int(bits[start:start + 8][::-1], 2) for start in range(0, len(bits), 8))
    return b"\x78\x01" + packed + struct.pack(">I", zlib.adler32(data))


def frame(packed, version=VERSION):
    """A header of packed fields with magic, version, length and the CRC-32 that belongs to them."""
    length = len(packed)
    block = MAGIC + bytes([version, length & 127 | 128, length >> 7]) + packed
    return block + struct.pack("<I", zlib.crc32(block))


def header_block(original_bytes=1_000, sha256=bytes(32), name="a", preset=1, description=b"", environment=(),
                 overrides=None, source_kind=0):
    """A header with valid checksums, whatever its fields hold."""
    return frame(msgpack.packb([original_bytes, sha256, name, preset, description, environment,
                                {} if overrides is None else overrides, source_kind], unicode_errors="surrogateescape"))


def crafted_file(steps, payload=b"payload", **fields):
    """A file of one segment with valid checksums, whatever the fields of its header hold."""
    block = header_block(**fields)
    return block + Segment(steps, payload, bytes(8)).to_bytes(zlib.crc32(block))[0]


def coded_file(header, segments):
    """The bytes of a .lks file."""
    output = io.BytesIO()
    writer = Writer(output, header)
    for segment in segments:
        writer.write_segment(segment)
    return output.getvalue()


def stored_file(data, name):
    """The bytes of a .lks file that holds `data` as it is."""
    return Header(len(data), hashlib.sha256(data).digest(), name).to_bytes() + data


def take_apart(data, total_steps):
    """(header, segments) of an intact .lks file."""
    reader = Reader(data)
    segments, fault = reader.read_segments(total_steps)
    assert fault is None
    return reader.header, segments


def with_header(data, total_steps, **changes):
    """A .lks file whose header says something else, with valid checksums."""
    header, segments = take_apart(data, total_steps)
    return coded_file(dataclasses.replace(header, **changes), segments)


def flipped(data, position, mask=0xFF):
    """`data` with bits of one byte flipped."""
    return data[:position] + bytes([data[position] ^ mask]) + data[position + 1:]


def there_and_back(folder, data, settings=FAST):
    """Compress a file of these bytes; check that they come back and that the file is no larger than promised; returns the Result."""
    (folder / "in").write_bytes(data)
    packed = compress(folder / "in", folder / "in.lks", settings, overwrite=True)
    assert packed.compressed_bytes == (folder / "in.lks").stat().st_size <= len(data) + 96 + len("in")
    again = decompress(folder / "in.lks", folder / "out", overwrite=True)
    assert (folder / "out").read_bytes() == data
    assert again.sha256 == packed.sha256 == hashlib.sha256(data).hexdigest()
    return packed


def a_header(**changes):
    """A Header of a coded file."""
    return Header(**dict(original_bytes=1_000, sha256=bytes(range(32)), name="book.txt", preset=1,
                         description=b"\x04\xff", environment=("cpu", 4, 22100, 31501), overrides={4: 64}) | changes)


def samples_of(width, height):
    """uint8, shape (height, width, 3): slopes with an edge."""
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    return np.stack([(across * 5 + down * (plane + 2) + 90 * (across > down)) % 256 for plane in range(3)], -1).astype(np.uint8)


def a_ppm(width, height):
    """The bytes of a picture that is not packed."""
    return b"P6\n%d %d\n255\n" % (width, height) + samples_of(width, height).tobytes()


def a_png(width, height):
    """The bytes of a PNG file, of eight bits and three channels."""
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(name)))
    rows = b"".join(b"\0" + row.tobytes() for row in samples_of(width, height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def wave_of(count, bits, seed=4):
    """int64, shape (count,): some samples of a sound, a tone of two parts that swells, and noise, whatever a machine's sine is."""
    random, values, past = np.random.default_rng(seed), [], [0, 0]
    for _ in range(count):
        past = [past[0] * 15 // 8 - past[1] * 31 // 32 + int(random.integers(-9, 10)), past[0]]
        values.append(past[0] << bits >> 9)
    return np.clip(values, -(1 << bits), (1 << bits) - 1)


def a_wav(frames):
    """The bytes of a WAV file of two channels of 16 bits."""
    left, noise = wave_of(frames, 12), wave_of(frames, 9, 5)
    body = np.stack([left, left // 2 + noise], -1).astype("<i2").tobytes()
    return b"RIFF" + struct.pack("<I4s4sIHHIIHH4sI", len(body) + 36, b"WAVE", b"fmt ", 16, 1, 2, 44100, 176400, 4, 16, b"data", len(body)) + body
