// What ONNX Runtime makes of a model, beside what the engine made of it.
//
// usage: node onnxruntime.cjs FOLDER input MODEL IMAGES X.npy
//        node onnxruntime.cjs FOLDER compare MODEL X.npy Y.npy [LABELS]
// FOLDER holds node_modules with onnxruntime-node. `input` writes the test images of an IDX
// file as the model wants them; `compare` prints the largest difference of any output, and of
// LABELS how many are right by ONNX Runtime and by Y. Optimisations are the basic ones: more
// of them turn products of whole numbers into products with rounded activations.
'use strict';
const fs = require('fs');
const path = require('path');

const BATCH = 500;

function loadArray(file) {
    const bytes = fs.readFileSync(file);
    const length = bytes.readUInt16LE(8);
    const header = bytes.toString('latin1', 10, 10 + length);
    const dims = header.match(/'shape': \(([^)]*)\)/)[1].split(',').filter((d) => d.trim()).map(Number);
    const copy = new Uint8Array(bytes.subarray(10 + length)); // its own buffer, aligned
    return { dims, data: new Float32Array(copy.buffer) };
}

function saveArray(file, dims, data) {
    let header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${dims.join(', ')}), }`;
    header = header.padEnd(64 * Math.ceil((header.length + 11) / 64) - 11) + '\n';
    const head = Buffer.alloc(10);
    head.write('\x93NUMPY\x01\x00', 'latin1');
    head.writeUInt16LE(header.length, 8);
    fs.writeFileSync(file, Buffer.concat([head, Buffer.from(header), Buffer.from(data.buffer)]));
}

// The model's metadata: mean and scale as the bits of floats.
function normalisation(model) {
    const text = fs.readFileSync(model).toString('latin1');
    const found = text.match(/admmnn\.input[^0-9a-f]{2}([0-9a-f]{8}) ([0-9a-f]{8})/);
    const words = Buffer.from(found[1] + found[2], 'hex');
    return [words.readFloatBE(0), words.readFloatBE(4)];
}

function makeInput(model, images, file) {
    const bytes = fs.readFileSync(images);
    const dims = [bytes.readUInt32BE(4), 1, bytes.readUInt32BE(8), bytes.readUInt32BE(12)];
    const [mean, scale] = normalisation(model);
    const data = Float32Array.from(bytes.subarray(16), (pixel) =>
        Math.fround(Math.fround(Math.fround(pixel / 255) - mean) * scale));
    saveArray(file, dims, data);
}

async function run(ort, model, x) {
    const session = await ort.InferenceSession.create(model, {
        graphOptimizationLevel: 'basic', intraOpNumThreads: 1, logSeverityLevel: 3 });
    const sample = x.data.length / x.dims[0];
    const parts = [];
    for (let first = 0; first < x.dims[0]; first += BATCH) {
        const count = Math.min(BATCH, x.dims[0] - first);
        const part = x.data.subarray(first * sample, (first + count) * sample);
        const tensor = new ort.Tensor('float32', part, [count, ...x.dims.slice(1)]);
        const result = await session.run({ [session.inputNames[0]]: tensor });
        parts.push(...result[session.outputNames[0]].data);
    }
    return parts;
}

function largest(row) {
    return row.reduce((best, value, i) => (value > row[best] ? i : best), 0);
}

function countRight(outputs, labels) {
    const width = outputs.length / labels.length;
    return labels.reduce((sum, label, i) =>
        sum + (largest(outputs.slice(i * width, (i + 1) * width)) === label ? 1 : 0), 0);
}

async function compare(ort, model, xFile, yFile, labelFile) {
    const expected = await run(ort, model, loadArray(xFile));
    const got = Array.from(loadArray(yFile).data);
    if (expected.length !== got.length)
        throw new Error(`${got.length} outputs, not ${expected.length}`);
    const difference = got.reduce((most, y, i) => {
        const apart = Math.abs(y - expected[i]);
        return apart > most || Number.isNaN(apart) ? apart : most;
    }, 0);
    let line = difference.toExponential(2);
    if (labelFile !== undefined) {
        const labels = Array.from(fs.readFileSync(labelFile).subarray(8));
        line += ` ${countRight(expected, labels)} ${countRight(got, labels)}`;
    }
    console.log(line);
    process.exitCode = difference < 1e-4 ? 0 : 1;
}

const [folder, what, ...rest] = process.argv.slice(2);
if (what === 'input')
    makeInput(...rest);
else
    compare(require(path.resolve(folder, 'node_modules/onnxruntime-node')), ...rest);
