// Seconds of ONNX Runtime's inference of one sample: the peer of bench_infer and bench_runtime.
//
// usage: node infer_peer.cjs RUNTIME FOLDER THREADS STEPS [CALLS]
// RUNTIME holds node_modules with onnxruntime-node; FOLDER what the program left: input.f32 and
// output.f32, beside model.onnx. All optimisations are on. A step is CALLS (1) calls, times are of
// one: the median of the steps after the first two by the clock, the median and the least by what
// the process had of a processor. The difference is that of the outputs, as a part of the largest.
'use strict';
const fs = require('fs');
const path = require('path');

const UNTIMED = 2;

function loadFloats(file) {
    return new Float32Array(new Uint8Array(fs.readFileSync(file)).buffer);
}

// NaN wherever one of either is.
function difference(got, expected) {
    if (got.length !== expected.length)
        throw new Error(`${got.length} outputs, not ${expected.length}`);
    const largest = (values) => values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    return largest(got.map((x, i) => x - expected[i])) / largest(expected);
}

function median(values) {
    return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

async function measure(runtime, folder, threads, steps, calls) {
    const ort = require(path.resolve(runtime, 'node_modules/onnxruntime-node'));
    const session = await ort.InferenceSession.create(path.join(folder, 'model.onnx'), {
        graphOptimizationLevel: 'all', intraOpNumThreads: threads, interOpNumThreads: 1,
        executionMode: 'sequential', logSeverityLevel: 3 });
    const dims = session.inputMetadata[0].shape.slice(1);
    const input = new ort.Tensor('float32', loadFloats(path.join(folder, 'input.f32')), [1, ...dims]);
    const seconds = [];
    const processor = [];
    let result;
    for (let i = 0; i < steps + UNTIMED; i++) {
        const used = process.cpuUsage();
        const start = process.hrtime.bigint();
        for (let k = 0; k < calls; k++)
            result = await session.run({ [session.inputNames[0]]: input });
        const clock = Number(process.hrtime.bigint() - start) / 1e9;
        const { user, system } = process.cpuUsage(used);
        if (i >= UNTIMED) {
            seconds.push(clock / calls);
            processor.push((user + system) / 1e6 / calls);
        }
    }
    const outputs = result[session.outputNames[0]].data;
    const peak = process.resourceUsage().maxRSS / 1024;
    console.log(JSON.stringify({
        version: ort.env.versions.node, threads, seconds: median(seconds), peak_mib: peak,
        processor_seconds: median(processor), least_processor_seconds: Math.min(...processor),
        difference: difference(loadFloats(path.join(folder, 'output.f32')), outputs) }));
}

const [runtime, folder, threads, steps, calls] = process.argv.slice(2);
measure(runtime, folder, Number(threads), Number(steps), Number(calls ?? 1));
