#include "pack/model_layers.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"

/* Of a node's weights: those of layers, not biases and the like. */
typedef struct weights {
    size_t count, kept;
    float least, greatest;
} weights;

typedef struct layer {
    const graph_node *node;
    const char *op; /* the kind where the operation has kinds */
    char shape[GRAPH_SHAPE_TEXT_MAX];
    weights weights;
    uint64_t macs;
    size_t activations; /* elements of its output */
} layer;

static weights weights_of(const admmnn_model *model, const graph_node *node) {
    weights w = {0};
    if (node->weight == GRAPH_NONE)
        return w;
    const graph_parameter *parameter = &model->packed->g->parameters[node->weight];
    const float *at = model->params + parameter->offset;
    w = (weights){.count = parameter->count, .least = at[0], .greatest = at[0]};
    for (size_t i = 0; i < w.count; i++) {
        w.kept += at[i] != 0.0F;
        w.least = at[i] < w.least ? at[i] : w.least;
        w.greatest = at[i] > w.greatest ? at[i] : w.greatest;
    }
    return w;
}

static layer layer_of(const admmnn_model *model, uint32_t n) {
    const graph *g = model->packed->g;
    const graph_node *node = &g->nodes[n];
    layer l = {.node = node,
               .op = graph_op_name(node->op),
               .weights = weights_of(model, node),
               .macs = graph_node_macs(g, node),
               .activations = graph_value_count(g, node->output)};
    if (node->op == GRAPH_UNARY)
        l.op = graph_unary_name(node->unary.kind);
    if (node->op == GRAPH_BINARY)
        l.op = graph_binary_name(node->binary);
    graph_shape_text(g->values[node->output].shape, l.shape);
    return l;
}

static void write_row(const layer *l, base_writer *out) {
    base_write_text(out, "%-31s %-22s %16s", l->node->name, l->op, l->shape);
    if (l->weights.count > 0)
        base_write_text(out, " %10zu %10zu %9.3g..%-9.3g %12" PRIu64, l->weights.count,
                        l->weights.kept, (double)l->weights.least, (double)l->weights.greatest,
                        l->macs);
    else if (l->macs > 0) /* a product of two values */
        base_write_text(out, " %10s %10s %20s %12" PRIu64, "", "", "", l->macs);
    base_write_text(out, "\n");
}

static void write_table(const admmnn_model *model, base_writer *out) {
    const graph *g = model->packed->g;
    char texts[2][GRAPH_SHAPE_TEXT_MAX];
    uint64_t activations = 0;
    base_write_text(out, "%s: %s to %s, %" PRIu64 " bytes\n\n", g->name,
                    graph_shape_text(g->values[g->input].shape, texts[0]),
                    graph_shape_text(g->values[g->output].shape, texts[1]), model->file_bytes);
    base_write_text(out, "%-31s %-22s %16s %10s %10s %-20s %12s\n", "node", "operation", "output",
                    "weights", "kept", "    range", "MACs");
    for (uint32_t n = 0; n < g->node_count; n++) {
        const layer l = layer_of(model, n);
        write_row(&l, out);
        activations += l.activations;
    }
    base_write_text(out,
                    "\n%zu weights, %" PRIu64 " of them not 0, %zu parameters in all, %" PRIu64
                    " multiply-accumulates, %" PRIu64 " activations a sample\n",
                    graph_weight_count(g), model_kept_weights(model), graph_trainable_count(g),
                    graph_macs(g), activations);
}

void model_shape_write(graph_shape shape, base_writer *out) {
    base_write_text(out, "[");
    for (uint32_t i = 0; i < shape.rank; i++)
        base_write_text(out, "%s%u", i == 0 ? "" : ", ", shape.dims[i]);
    base_write_text(out, "]");
}

static void write_layer(const graph *g, const layer *l, base_writer *out) {
    base_write_text(out, "\n    {\"name\": ");
    base_write_json_string(out, l->node->name);
    base_write_text(out, ", \"operation\": \"%s\", \"output\": ", l->op);
    model_shape_write(g->values[l->node->output].shape, out);
    base_write_text(
        out, ", \"weights\": %zu, \"kept\": %zu, \"macs\": %" PRIu64 ", \"activations\": %zu",
        l->weights.count, l->weights.kept, l->macs, l->activations);
    if (l->weights.count > 0) {
        base_write_text(out, ", \"range\": [");
        base_write_json_number(out, (double)l->weights.least);
        base_write_text(out, ", ");
        base_write_json_number(out, (double)l->weights.greatest);
        base_write_text(out, "]");
    }
    base_write_text(out, "}");
}

static void write_json(const admmnn_model *model, base_writer *out) {
    const graph *g = model->packed->g;
    base_write_text(out, "{\n  \"name\": ");
    base_write_json_string(out, g->name);
    base_write_text(out, ",\n  \"input\": ");
    model_shape_write(g->values[g->input].shape, out);
    base_write_text(out, ",\n  \"output\": ");
    model_shape_write(g->values[g->output].shape, out);
    base_write_text(out,
                    ",\n  \"weights\": %zu,\n  \"kept\": %" PRIu64
                    ",\n  \"parameters\": %zu,\n  \"macs\": %" PRIu64 ",\n  \"file\": %" PRIu64
                    ",\n  \"nodes\": [",
                    graph_weight_count(g), model_kept_weights(model), graph_trainable_count(g),
                    graph_macs(g), model->file_bytes);
    for (uint32_t n = 0; n < g->node_count; n++) {
        const layer l = layer_of(model, n);
        base_write_text(out, "%s", n == 0 ? "" : ",");
        write_layer(g, &l, out);
    }
    base_write_text(out, "\n  ]\n}\n");
}

void model_layers_write(const admmnn_model *model, bool json, base_writer *out) {
    if (json)
        write_json(model, out);
    else
        write_table(model, out);
}
