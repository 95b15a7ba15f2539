/* The two files' text. */
#include "export/code.h"

#include <ctype.h>
#include <stdio.h>

#include "base/memory.h"
#include "export/job.h"

/* Sizes and places are 32-bit numbers in the C code. */
#define COUNT_MOST ((size_t)1 << 28)
/* A call's frames, on a processor of 32 bits: tests/cli/test_export_arm.sh adds them up. */
#define STACK_BYTES 448U

/* ---- the function ---- */

static admmnn_status write_step(export_job *job, uint32_t n) {
    if (job->plan->steps[n].layer != NULL)
        return export_layer_write(job, n);
    switch (job->g->nodes[n].op) {
    case GRAPH_MAXPOOL:
    case GRAPH_AVERAGE_POOL:
        return export_pool_write(job, n);
    case GRAPH_RELU:
    case GRAPH_UNARY:
    case GRAPH_BINARY:
    case GRAPH_DROPOUT:
    case GRAPH_RESHAPE:
        export_element_write(job, n);
        return ADMMNN_OK;
    case GRAPH_CONCAT:
    case GRAPH_SLICE:
    case GRAPH_PAD:
    case GRAPH_TRANSPOSE:
    case GRAPH_GATHER:
    case GRAPH_RESIZE:
        return export_move_write(job, n);
    default:
        return export_line_write(job, n);
    }
}

static admmnn_status write_steps(export_job *job) {
    for (uint32_t n = 0; n < job->g->node_count; n++) {
        if (!job->plan->steps[n].needed || job->plan->steps[n].done)
            continue;
        base_write_text(&job->calls, "        /* ");
        export_write_comment(&job->calls, job->g->nodes[n].name);
        base_write_text(&job->calls, " */\n");
        BASE_TRY(write_step(job, n));
    }
    return ADMMNN_OK;
}

/* type: of its values. */
static void begin_function(const export_job *job, const char *suffix, const char *type,
                           size_t count, base_writer *out) {
    base_write_text(out, "\nint %s_predict%s(const %s *in, %s *out) {\n", job->sizes.name, suffix,
                    type, type);
    if (count > 0)
        base_write_text(out, "    static %s values[%zu];\n", type, count);
}

static void end_function(const base_writer *calls, base_writer *out) {
    base_write_text(out,
                    "    int status = -1;\n"
                    "    if ((in != NULL) && (out != NULL)) {\n");
    base_write_bytes(out, calls->bytes, calls->count);
    base_write_text(out, "        status = 0;\n    }\n    return status;\n}\n");
}

static void write_functions(export_job *job, base_writer *out) {
    begin_function(job, "", "float", job->plan->count, out);
    end_function(&job->calls, out);
    if (!job->narrow.wanted)
        return;
    begin_function(job, "_int8", "int8_t", job->narrow.plan.count, out);
    if (job->narrow.plane > 0)
        base_write_text(out, "    static int32_t plane[%zu];\n", job->narrow.plane);
    end_function(&job->narrow.calls, out);
}

/* ---- the files ---- */

static void write_source(export_job *job, base_writer *out) {
    base_write_text(out, "/* Made by admmnn export-c of the network ");
    export_write_comment(out, job->g->name);
    base_write_text(out,
                    ": not to be changed by hand. */\n#include \"%s.h\"\n\n"
                    "#include <math.h>\n#include <stddef.h>\n#include <stdint.h>\n\n",
                    job->sizes.name);
    export_parts_write(&job->parts, out);
    base_write_bytes(out, job->data.bytes, job->data.count);
    write_functions(job, out);
}

static void write_tones(const data_tones *tones, uint32_t channels, base_writer *out) {
    const uint32_t count = channels == 3 ? 3 : 1;
    for (uint32_t c = 0; c < count; c++)
        base_write_text(out, "%s(pixel / 255 - %.9g) * %.9g", c == 0 ? "" : ", ",
                        (double)tones->mean[c], (double)tones->scale[c]);
}

/* The function of 8 bits. */
static void write_narrow_header(const export_job *job, const char *upper, base_writer *out) {
    const graph *g = job->g;
    base_write_text(out,
                    "/* The same on numbers of 8 bits, from -127 to 127, each of which stands "
                    "for so much. */\n#define %s_INPUT_SCALE ",
                    upper);
    export_write_float(out, job->narrow.scales[g->input]);
    base_write_text(out, "\n#define %s_OUTPUT_SCALE ", upper);
    export_write_float(out, job->narrow.scales[g->output]);
    base_write_text(out, "\nint %s_predict_int8(const int8_t *in, int8_t *out);\n\n",
                    job->sizes.name);
}

static void write_header(const export_job *job, base_writer *out) {
    const graph *g = job->g;
    const graph_shape in = g->values[g->input].shape;
    char texts[2][GRAPH_SHAPE_TEXT_MAX];
    char upper[32] = "";
    for (size_t i = 0; job->sizes.name[i] != 0; i++)
        upper[i] = (char)toupper((unsigned char)job->sizes.name[i]);
    base_write_text(out, "/* Made by admmnn export-c of the network ");
    export_write_comment(out, g->name);
    base_write_text(out,
                    ": not to be changed by hand. */\n#ifndef %s_H\n#define %s_H\n\n"
                    "#include <stdint.h>\n\n"
                    "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
                    "#define %s_INPUTS %zuU\n#define %s_OUTPUTS %zuU\n\n",
                    upper, upper, upper, graph_value_count(g, g->input), upper,
                    graph_value_count(g, g->output));
    base_write_text(out,
                    "/* One sample: in[%s] to out[%s], the last axis the nearest in memory.\n"
                    " * Pixels from 0 to 255 are wanted as ",
                    graph_shape_text(in, texts[0]),
                    graph_shape_text(g->values[g->output].shape, texts[1]));
    write_tones(&job->model->tones, graph_shape_channels(in), out);
    base_write_text(out,
                    ".\n * 0, or -1 where an array is missing. It works in memory of its own, so "
                    "that one call must\n * end before the next begins; the arrays may not "
                    "overlap. */\nint %s_predict(const float *in, float *out);\n\n",
                    job->sizes.name);
    if (job->narrow.wanted)
        write_narrow_header(job, upper, out);
    base_write_text(out, "#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}

/* ---- all of it ---- */

admmnn_status export_code_check(const graph *g, const char *path, admmnn_error *err) {
    bool fits = true;
    if (g->values[g->output].producer == GRAPH_NONE)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "%s: a network without operations; there is nothing to export", path);
    for (uint32_t v = 0; v < g->value_count; v++)
        fits &= graph_value_count(g, v) <= COUNT_MOST;
    for (uint32_t p = 0; p < g->parameter_count; p++)
        fits &= g->parameters[p].count <= COUNT_MOST;
    if (fits)
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_UNSUPPORTED,
                     "%s: a value or a parameter of more than 2^28 numbers; C code counts them in "
                     "32 bits",
                     path);
}

static void count_memory(export_job *job) {
    const graph *g = job->g;
    job->sizes.buffer = job->plan->count * sizeof(float);
    if (job->narrow.wanted)
        job->sizes.buffer_int8 = job->narrow.plan.count + job->narrow.plane * sizeof(int32_t);
    job->sizes.stack = STACK_BYTES;
    job->sizes.input = graph_value_count(g, g->input) * sizeof(float);
    job->sizes.output = graph_value_count(g, g->output) * sizeof(float);
}

static admmnn_status write_all(export_job *job, const export_code_settings *settings,
                               export_plan *plan) {
    job->params = base_array(job->g->flat_count, sizeof *job->params);
    job->told = base_array(job->g->value_count, sizeof *job->told);
    if (job->params == NULL || job->told == NULL)
        return base_fail_memory(job->err, settings->path);
    pack_model_values(job->model, job->params);
    BASE_TRY(export_plan_make(job->g, job->params, false, plan, job->err));
    job->plan = plan;
    export_parts_open(&job->parts);
    BASE_TRY(write_steps(job));
    if (job->narrow.wanted)
        BASE_TRY(export_narrow_write(job, settings));
    count_memory(job);
    return ADMMNN_OK;
}

static admmnn_status write_texts(export_job *job, const char *path, export_code *code) {
    write_source(job, &code->source);
    write_header(job, &code->header);
    const bool failed = job->data.failed || job->calls.failed || job->narrow.calls.failed ||
                        code->source.failed || code->header.failed;
    return failed ? base_fail_memory(job->err, path) : ADMMNN_OK;
}

admmnn_status export_code_make(const pack_model *model, const export_code_settings *settings,
                               export_code *code, admmnn_error *err) {
    export_plan plan = {0};
    export_job job = {.model = model, .g = model->g, .context = settings->context, .err = err};
    *code = (export_code){0};
    snprintf(job.sizes.name, sizeof job.sizes.name, "%s", settings->name);
    job.narrow.wanted = settings->images != NULL || settings->ranges != NULL;
    admmnn_status status = write_all(&job, settings, &plan);
    if (status == ADMMNN_OK)
        status = write_texts(&job, settings->path, code);
    code->sizes = job.sizes;
    export_plan_free(&plan);
    export_plan_free(&job.narrow.plan);
    base_free(job.narrow.scales);
    base_free(job.params);
    base_free(job.told);
    base_writer_free(&job.data);
    base_writer_free(&job.calls);
    base_writer_free(&job.narrow.calls);
    return status;
}

void export_code_free(export_code *code) {
    base_writer_free(&code->source);
    base_writer_free(&code->header);
}
