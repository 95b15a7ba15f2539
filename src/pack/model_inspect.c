#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"
#include "base/text.h"
#include "pack/model_file.h"
#include "pack/model_layers.h"

typedef struct part {
    const char *name, *key; /* as people read it, and in JSON */
    uint64_t bytes;
} part;

#define PARTS 6
#define NAME_WIDTH 20

static void list_parts(const pack_report *r, part *parts) {
    parts[0] = (part){"values", "values", r->bytes_values};
    parts[1] = (part){"indices", "positions", r->bytes_positions};
    parts[2] = (part){"codebooks", "codebooks", r->bytes_codebooks};
    parts[3] = (part){"scales", "scales", r->bytes_scales};
    parts[4] = (part){"biases", "biases", r->bytes_biases};
    parts[5] = (part){"header", "header", r->bytes_header};
}

static uint64_t original_bytes(const pack_model *m) {
    return 4 * (m->original_weights + m->original_biases);
}

static double times_smaller(const admmnn_model *model) {
    return (double)original_bytes(model->packed) / (double)model->file_bytes;
}

/* Of the column of names: none of them moves the others out of their columns. */
static int name_width(const graph *g) {
    char name[GRAPH_PARAMETER_NAME_MAX];
    int widest = NAME_WIDTH;
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        graph_parameter_name(g, p, name);
        widest = base_text_widen(widest, name);
    }
    return widest;
}

static void write_table(const admmnn_model *model, base_writer *out) {
    const graph *g = model->packed->g;
    part parts[PARTS];
    char shape[GRAPH_SHAPE_TEXT_MAX];
    char name[GRAPH_PARAMETER_NAME_MAX];
    const int width = name_width(g);
    base_write_text(out, "%s: %s to %zu numbers, %" PRIu64 " bytes, %.1f times smaller\n\n",
                    g->name, graph_shape_text(g->values[g->input].shape, shape),
                    graph_value_count(g, g->output), model->file_bytes, times_smaller(model));
    base_write_text(out, "%-*s %11s %9s %4s  %-8s %9s  %-7s %9s\n", width, "tensor", "shape",
                    "kept", "bits", "indices", "bytes", "values", "bytes");
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const pack_tensor_report *t = &model->report.tensors[p];
        graph_parameter_name(g, p, name);
        snprintf(shape, sizeof shape, "%ux%u", g->parameters[p].rows, g->parameters[p].columns);
        base_write_text(out, "%-*s %11s %9" PRIu64 " %4u  %-8s %9.1f  %-7s %9.1f\n", width, name,
                        shape, t->kept, t->bits, pack_position_name(t->positions),
                        (double)t->position_bits / 8.0, pack_coder_name(t->values),
                        (double)t->value_bits / 8.0);
    }
    list_parts(&model->report, parts);
    base_write_text(out, "\n");
    for (int i = 0; i < PARTS; i++)
        base_write_text(out, "%-*s %11" PRIu64 " bytes\n", width, parts[i].name, parts[i].bytes);
    base_write_text(out, "%-*s %11" PRIu64 " bytes\n", width, "file", model->file_bytes);
}

static void write_tensor(const admmnn_model *model, uint32_t p, base_writer *out) {
    const graph *g = model->packed->g;
    const pack_tensor_report *t = &model->report.tensors[p];
    char name[GRAPH_PARAMETER_NAME_MAX];
    graph_parameter_name(g, p, name);
    base_write_text(out, "%s\n    {\"name\": ", p == 0 ? "" : ",");
    base_write_json_string(out, name);
    base_write_text(out,
                    ", \"rows\": %u, \"columns\": %u, \"kept\": %" PRIu64
                    ", \"bits\": %u, \"positions\": \"%s\", \"position_bits\": %" PRIu64
                    ", \"values\": \"%s\", \"value_bits\": %" PRIu64 "}",
                    g->parameters[p].rows, g->parameters[p].columns, t->kept, t->bits,
                    pack_position_name(t->positions), t->position_bits, pack_coder_name(t->values),
                    t->value_bits);
}

static void write_json(const admmnn_model *model, base_writer *out) {
    const pack_model *m = model->packed;
    part parts[PARTS];
    base_write_text(out, "{\n  \"name\": ");
    base_write_json_string(out, m->g->name);
    base_write_text(out, ",\n  \"input\": ");
    model_shape_write(m->g->values[m->g->input].shape, out);
    base_write_text(out,
                    ",\n  \"outputs\": %zu,\n"
                    "  \"original_weights\": %" PRIu64 ",\n  \"original_biases\": %" PRIu64
                    ",\n"
                    "  \"original_bytes\": %" PRIu64 ",\n  \"tensors\": [",
                    graph_value_count(m->g, m->g->output), m->original_weights, m->original_biases,
                    original_bytes(m));
    for (uint32_t p = 0; p < m->g->parameter_count; p++)
        write_tensor(model, p, out);
    base_write_text(out, "\n  ],\n  \"bytes\": {");
    list_parts(&model->report, parts);
    for (int i = 0; i < PARTS; i++)
        base_write_text(out, "\"%s\": %" PRIu64 ", ", parts[i].key, parts[i].bytes);
    base_write_text(out, "\"file\": %" PRIu64 "}\n}\n", model->file_bytes);
}

static void write_packed(const admmnn_model *model, bool json, base_writer *out) {
    if (json)
        write_json(model, out);
    else
        write_table(model, out);
}

admmnn_status admmnn_model_inspect(const admmnn_model *model, int json, char **text,
                                   admmnn_error *err) {
    base_writer out = {0};
    if (model->report.tensors == NULL)
        model_layers_write(model, json != 0, &out);
    else
        write_packed(model, json != 0, &out);
    base_write_u8(&out, 0);
    if (out.failed) {
        base_writer_free(&out);
        return base_fail_memory(err, "the description of a model");
    }
    *text = (char *)out.bytes;
    return ADMMNN_OK;
}
