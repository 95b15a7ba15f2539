#include "compress/rescale.h"

#include <math.h>

#include "base/memory.h"
#include "graph/reader.h"

#define SWEEPS 8
/* Factors tried for a unit: 2^(k / STEPS_PER_OCTAVE), |k| <= STEPS. */
#define STEPS 16
#define STEPS_PER_OCTAVE 8

typedef struct weighed {
    double value, importance;
} weighed;

/* One side of a unit: a rectangle of a weight matrix, and what is not pruned of it. */
typedef struct side {
    const graph_parameter *weight;
    unsigned bits;
    float q;
    size_t row, rows, column, columns;
    weighed *kept; /* the layer's room for them */
    size_t kept_count;
} side;

typedef struct rescaling {
    const graph *g;
    admm_levels kind;
    const unsigned *bits;
    const uint8_t *mask;
    float *params, *importance;
    const admmnn_context *context;
} rescaling;

static size_t place_of(const side *s, size_t row, size_t column) {
    return s->weight->offset + (s->row + row) * s->weight->columns + s->column + column;
}

/* Every factor is tried on them: what is pruned is passed over once. */
static void keep_side(const rescaling *r, side *s) {
    s->kept_count = 0;
    for (size_t i = 0; i < s->rows; i++)
        for (size_t j = 0; j < s->columns; j++) {
            const size_t at = place_of(s, i, j);
            if (r->mask[at] != 0)
                s->kept[s->kept_count++] =
                    (weighed){(double)r->params[at], (double)r->importance[at]};
        }
}

/* What the levels cost the loss when the side's weights are scaled first. */
static double cost_of(const rescaling *r, const side *s, double factor) {
    double sum = 0.0;
    for (size_t i = 0; i < s->kept_count; i++) {
        const double value = s->kept[i].value;
        const float scaled = (float)(factor * value);
        const int32_t code = admm_level_code(r->kind, s->bits, s->q, scaled);
        const double level = (double)admm_level_value(r->kind, s->q, code) / factor;
        const double error = value - level;
        sum += s->kept[i].importance * error * error;
    }
    return sum;
}

/* The gradient of a scaled weight is the old one divided by the factor. */
static void scale_side(const rescaling *r, const side *s, double factor) {
    for (size_t i = 0; i < s->rows; i++)
        for (size_t j = 0; j < s->columns; j++) {
            size_t at = place_of(s, i, j);
            r->params[at] = (float)(factor * (double)r->params[at]);
            r->importance[at] = (float)((double)r->importance[at] / (factor * factor));
        }
}

/* The best factor; 1 where nothing is better. */
static double best_factor(const rescaling *r, const side *in, const side *out) {
    double best = 1.0;
    double least = cost_of(r, in, 1.0) + cost_of(r, out, 1.0);
    for (int k = -STEPS; k <= STEPS; k++) {
        double factor = exp2((double)k / STEPS_PER_OCTAVE);
        double cost = cost_of(r, in, factor) + cost_of(r, out, 1.0 / factor);
        if (cost < least) {
            least = cost;
            best = factor;
        }
    }
    return best;
}

/* The whole of a layer's weights; q is 0 when all of them are. */
static admmnn_status open_side(const rescaling *r, uint32_t layer, side *s, admmnn_error *err) {
    const graph_node *node = &r->g->nodes[graph_layer(r->g, layer)];
    const graph_parameter *weight = &r->g->parameters[node->weight];
    *s = (side){
        .weight = weight, .bits = r->bits[layer], .rows = weight->rows, .columns = weight->columns};
    return admm_levels_fit(r->kind, s->bits, r->params + weight->offset, r->mask + weight->offset,
                           weight->count, &s->q, NULL, err);
}

/* bias: GRAPH_NONE where the layer has none. */
static admmnn_status rescale_between(const rescaling *r, uint32_t bias, size_t block, side *in,
                                     side *out, bool *changed, admmnn_error *err) {
    const size_t units = in->rows;
    in->rows = 1;
    out->columns = block;
    for (size_t unit = 0; unit < units; unit++) {
        if (base_cancelled(r->context))
            return base_fail(err, ADMMNN_CANCELLED, "stopped on request");
        in->row = unit;
        out->column = unit * block;
        keep_side(r, in);
        keep_side(r, out);
        double factor = best_factor(r, in, out);
        if (factor == 1.0)
            continue;
        scale_side(r, in, factor);
        scale_side(r, out, 1.0 / factor);
        if (bias != GRAPH_NONE)
            r->params[r->g->parameters[bias].offset + unit] *= (float)factor;
        *changed = true;
    }
    return ADMMNN_OK;
}

static admmnn_status rescale_layer(const rescaling *r, uint32_t layer, bool *changed,
                                   admmnn_error *err) {
    const graph_node *node = &r->g->nodes[graph_layer(r->g, layer)];
    graph_reader reader = graph_reader_of(r->g, graph_layer(r->g, layer));
    if (reader.node == GRAPH_NONE || reader.normalized)
        return ADMMNN_OK;
    side in;
    side out;
    BASE_TRY(open_side(r, layer, &in, err));
    BASE_TRY(open_side(r, graph_layer_index(r->g, reader.node), &out, err));
    if (in.q == 0 || out.q == 0)
        return ADMMNN_OK;
    in.kept = base_array(in.columns, sizeof *in.kept);
    out.kept = base_array(out.rows * reader.block, sizeof *out.kept);
    admmnn_status status =
        in.kept == NULL || out.kept == NULL
            ? base_fail_memory(err, "the sides of units")
            : rescale_between(r, node->bias, reader.block, &in, &out, changed, err);
    base_free(in.kept);
    base_free(out.kept);
    return status;
}

static admmnn_status sweep(const rescaling *r, bool *changed, admmnn_error *err) {
    *changed = false;
    for (uint32_t l = 0; l < graph_layer_count(r->g); l++)
        BASE_TRY(rescale_layer(r, l, changed, err));
    return ADMMNN_OK;
}

admmnn_status rescale_units(const graph *g, admm_levels kind, const unsigned *bits,
                            const uint8_t *mask, float *importance, float *params,
                            const admmnn_context *context, admmnn_error *err) {
    const rescaling r = {.g = g,
                         .kind = kind,
                         .bits = bits,
                         .mask = mask,
                         .params = params,
                         .importance = importance,
                         .context = context};
    bool changed = true;
    for (int s = 0; s < SWEEPS && changed; s++)
        BASE_TRY(sweep(&r, &changed, err));
    return ADMMNN_OK;
}
