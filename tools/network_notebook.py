# docs/network.ipynb, cell by cell: "# %%" begins a code cell, "# %% [markdown]" a text. tools/build_notebooks.py writes the notebook from it.

# %% [markdown]
# # The network in the open
#
# How Lockstep compresses with a neural network, step by step, with the library's own parts: nothing here is a copy of it. Open it from
# a clone of the project and run the cells from top to bottom; it takes about a minute and works on a built-in sample.
#
# A network predicts the next symbol, a coder spends as many bits as the prediction deserves, and the network learns from the symbol. A
# decoder has the same network and learns the same from what it decodes, so no weights are stored.

# %%
import dataclasses
import hashlib
import inspect
import io
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.append(str(Path.cwd().parent))       # lib/ lies beside docs/

import matplotlib.pyplot as plt
import numpy as np

from lib import LockstepError, Settings, compress, decompress, models
from lib.sample import sample_bytes

# %% [markdown]
# ## What is coded
#
# A *source* turns a file into symbols: here the byte values that occur in it. A *plan* holds the complete parameters, the source, and how
# its symbols lie in `batch_size` *streams* that are coded side by side. Step `s` codes the `s`-th symbol of every stream.

# %%
from lib.coding.plan import Plan
from lib.sources.recognition import source_of

DATA = sample_bytes()[:20_000]
BASE = Settings(preset="network", rnn_units=64, num_layers=2, embedding_size=16, batch_size=16, arithmetic="float32",
                coder="arithmetic-compressor")

def plan_of(**changes):
    settings = dataclasses.replace(BASE, **changes)
    source = source_of(DATA, settings)
    return Plan.of(settings.resolve(source.symbol_count), source, settings.backend)

plan = plan_of()
symbols = plan.streams.lay_out(plan.source.symbols())        # uint16, shape (steps, batch_size)
print(plan.parameters.summary(), f"{plan.source.vocabulary_size} symbols; {symbols.shape[0]} steps", sep="; ")

# %% [markdown]
# ## The layers
#
# Three kinds of Keras layers: an embedding of the last symbol, LSTM layers, and a dense layer to the logits of the next symbol. Each LSTM
# sees the embedding and the layer below it; the output sees all of them (skip connections). `logits` is the whole forward step.

# %%
from lib.models.exact.dimensions import Dimensions
from lib.models.keras_network import KerasNetwork

network = KerasNetwork(Dimensions.of(plan.parameters, plan.input_shape), plan.parameters.arithmetic, seed=1)
for layer in network.layers:
    shapes = ", ".join(f"{weight.name} {tuple(weight.shape)}" for weight in layer.weights)
    print(f"{type(layer).__name__:9} {layer.count_params():6,} weights: {shapes}")
print(inspect.getsource(KerasNetwork.logits))

# %% [markdown]
# ## One step: predict, code, learn
#
# The model gives whole numbers, *frequencies*, in proportion to its probabilities. The coder here is the pure-Python package
# `arithmetic-compressor`. It needs about `log2(sum / frequency)` bits for a symbol: at first, log2 of the number of symbols.

# %%
from lib.coders import make_coder
from lib.models import build_model

model, coder = build_model(plan.parameters, plan.input_shape, plan.streams.steps), make_coder(plan.parameters.coder)
active = int(plan.streams.active(np.array([0]))[0])          # streams that have a symbol at step 0: all of them
frequencies = model.predict()                                # int32, shape (batch_size, symbols)
coder.code_step(frequencies, symbols[0], active)
model.learn(symbols[0], active, seen=symbols[0][:, None])    # seen: what the next step sees, the last symbol
payload = coder.finish()
ideal = np.log2(frequencies.sum(1) / frequencies[np.arange(active), symbols[0]]).sum()
print(f"{active} symbols take {ideal:.1f} bits by the prediction and {8 * len(payload)} as the coder writes whole bytes")

# %% [markdown]
# The decoder builds the same model, makes the same prediction, and so reads the symbols back. Then it learns the same: the fingerprints,
# hashes of the models' whole state, agree.

# %%
twin, decoded = build_model(plan.parameters, plan.input_shape, plan.streams.steps), np.zeros_like(symbols[0])
make_coder(plan.parameters.coder, payload).code_step(twin.predict(), decoded, active)
twin.learn(decoded, active, seen=decoded[:, None])
assert (decoded == symbols[0]).all() and twin.fingerprint() == model.fingerprint()
print("decoded:", bytes(plan.source.codes[decoded].astype(np.uint8)), "fingerprint:", twin.fingerprint().hex())

# %% [markdown]
# ## The loop over a file
#
# A `Predictor` has the model of a plan; `loop.code` lets it do those three things at every step, and writes segments of coded symbols, each
# with a fingerprint, behind a header that says all that a decoder must know. The plot shows the loss, in bits per byte, and is drawn anew
# every two seconds.

# %%
from lib.coding import loop
from lib.coding.container import Writer
from lib.coding.predictor import Predictor
from lib.notebook.live import watched
from lib.notebook.runs import Run

def encode(plan, progress, seconds_between=None):
    predictor, output = Predictor(plan), io.BytesIO()
    header = plan.header(len(DATA), hashlib.sha256(DATA).digest(), "sample", predictor.environment)
    segments = loop.encoding(Writer(output, header), plan.parameters.coder, plan.streams, next_step=0)
    symbols = plan.streams.lay_out(plan.source.symbols())
    list(loop.code(predictor, plan.streams, symbols, segments, plan.source.unit, progress, seconds_between=seconds_between))
    return output.getvalue()

coded = watched(Run("float32, 16 streams", lambda run: encode(plan, run.take)))

# %% [markdown]
# ## Half precision, more streams
#
# With `float16` layers compute in 16 bits and keep their weights in 32 (Keras's `mixed_float16`); gradients are scaled so that small ones do
# not vanish. It is meant for GPUs. More streams mean fewer steps, so the run is quicker, and fewer updates, so the file is larger.

# %%
half = plan_of(arithmetic="float16", batch_size=64)
coded_half = watched(Run("float16, 64 streams", lambda run: encode(half, run.take)))
print(f"{len(DATA):,} bytes become {len(coded):,} in float32, 16 streams, and {len(coded_half):,} in float16, 64 streams")

# %% [markdown]
# ## Decode and compare
#
# The header gives the plan back. Decoding is the same loop over the same predictor; only the segments read symbols instead of writing them.
# At the end of each segment the model's fingerprint is compared with the one in the file.

# %%
from lib.coding.container import Reader
from lib.coding.run import made_in_of

def decode(coded):
    reader = Reader(coded)
    plan = Plan.of_header(reader.header)
    predictor, symbols = Predictor(plan, made_in_of(reader.header)), plan.streams.empty()
    segments = loop.decoding(reader.read_segments(plan.streams.steps)[0], plan.parameters.coder, plan.streams, next_step=0)
    list(loop.code(predictor, plan.streams, symbols, segments, plan.source.unit))
    return plan.source.restore(plan.streams.join(symbols))

same = [decode(file) == DATA for file in (coded, coded_half)]
print("decoded and identical:", same)

# %% [markdown]
# ## What a change does
#
# The network in whole numbers (the next section) is the quickest on a processor, so it is used to try out settings. Sizes include the header.

# %%
from lib.notebook.curve import Curve

CHANGES = [dict(), dict(rnn_units=16), dict(rnn_units=128), dict(num_layers=1), dict(start_learning_rate=0.001),
           dict(start_learning_rate=0.02, end_learning_rate=0.005)]
curves = {}
print(f"{'change':55} {'bytes':>7} {'bits per byte':>14}")
for change in CHANGES:
    name = ", ".join(f"{setting}={value}" for setting, value in change.items()) or "none"
    curves[name] = Curve()
    size = len(encode(plan_of(arithmetic="exact", coder="numba", **change), curves[name].add, seconds_between=0))
    print(f"{name:55} {size:7,} {8 * size / len(DATA):14.3f}")

# %%
figure, axes = plt.subplots(figsize=(9, 4), layout="constrained")
for name, curve in curves.items():
    axes.plot(*zip(*curve.so_far()), label=name)
axes.set(xlabel="bytes coded", ylabel="bits per byte so far", ylim=(0, None))
axes.legend()
plt.show()

# %% [markdown]
# ## The same network in whole numbers
#
# Sums of floating-point numbers depend on their order, and so on device, threads and library: float files decode where they were made. The
# exact form of the network, which presets use, computes in whole numbers. Its state has the same hash on every backend, after any
# number of steps.

# %%
def hash_after(steps, backend):
    predictor, coder = Predictor(plan_of(arithmetic="exact", backend=backend)), make_coder("numba")
    for step in range(steps):
        active = plan.streams.active(np.arange(step, step + 1))
        predictor.code_steps(coder, symbols[step:step + 1], active, step)
    return predictor.fingerprint().hex()

hashes = {backend: hash_after(40, backend) for backend in ("numba", "numpy")}          # "tensorflow" and "jax" give it too
print(hashes)

# %% [markdown]
# ## A model of your own
#
# Anything with `predict` and `learn` will do: `lib/models/__init__.py` says what they take and give, `lib/models/own.py` the rest. This one
# is a small Keras network without memory, which sees the last eight symbols.

# %%
from lib.models.backend import import_keras
from lib.models.keras_network import frequencies_of

class Feedforward:
    def __init__(self, parameters, input_shape, steps):
        keras = import_keras("tensorflow")
        keras.utils.set_random_seed(parameters.seed)
        self.context = np.zeros((parameters.batch_size, 8), np.int32)
        self.network = keras.Sequential([keras.layers.Embedding(input_shape.values, 16), keras.layers.Flatten(),
                                         keras.layers.Dense(128, "relu"), keras.layers.Dense(input_shape.symbols)])
        self.network.compile(keras.optimizers.Adam(0.003), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    def predict(self):
        return frequencies_of(self.network(self.context)).numpy()
    def learn(self, symbols, active, seen):
        self.network.train_on_batch(self.context[:active], symbols[:active].astype(np.int32))
        self.context = np.hstack([self.context[:, 1:], seen]).astype(np.int32)

# %% [markdown]
# Two lines put it into `compress` and `decompress`:

# %%
temporary = TemporaryDirectory()
folder = Path(temporary.name)
(folder / "sample").write_bytes(DATA[:8_000])

with models.instead(Feedforward):
    result = compress(folder / "sample", settings=Settings(preset="network", batch_size=16))
with models.instead(Feedforward):
    decompress(result.output_path, folder / "again")

own_comes_back = (folder / "again").read_bytes() == DATA[:8_000]
print(f"{result.original_bytes:,} bytes become {result.compressed_bytes:,}; identical: {own_comes_back}")

# %% [markdown]
# The file says which model it was made with. Without it, nothing is decoded; with another version of it, the fingerprints differ and
# decoding ends in a `DivergedError`.

# %%
try:
    decompress(result.output_path, folder / "without")
except LockstepError as error:
    print(f"{type(error).__name__}: {error}")
