#include "hardware/single.h"

#include <math.h>

#include "base/memory.h"
#include "base/random.h"
#include "pack/pack.h"

#define BITS 4U
#define STEP 0.03125F

/* ---- the layer ---- */

static admmnn_status add_layer(graph *to, const graph *from, const graph_node *node,
                               admmnn_error *err) {
    const uint32_t rows = from->parameters[node->weight].rows;
    uint32_t v;
    if (node->op == GRAPH_INNER_PRODUCT)
        return graph_add_inner_product(to, "fc1", to->input, rows, false, &v, err);
    if (node->op != GRAPH_CONV)
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "%s: only convolutions and inner products run by themselves", node->name);
    graph_conv conv = node->conv;
    conv.biased = false;
    return graph_add_conv(to, "conv1", to->input, rows, conv, &v, err);
}

static admmnn_status make_parts(single *s, admmnn_error *err) {
    base_random random = base_random_at(1, 2, 3);
    s->inputs = graph_value_count(s->g, s->g->input);
    s->outputs = graph_value_count(s->g, s->g->output);
    s->params = base_array(s->g->flat_count, sizeof *s->params);
    s->input = base_array(s->inputs, sizeof *s->input);
    s->made = base_array(s->outputs, sizeof *s->made);
    if (s->params == NULL || s->input == NULL || s->made == NULL)
        return base_fail_memory(err, "a layer");
    for (size_t i = 0; i < s->inputs; i++)
        s->input[i] = base_random_uniform(&random);
    return single_dense_create(s->g, s->params, s->threads, &s->dense, err);
}

admmnn_status single_create(const graph *g, uint32_t layer, unsigned threads, single **out,
                            admmnn_error *err) {
    const graph_node *node = &g->nodes[graph_layer(g, layer)];
    const graph_shape input = g->values[graph_operand(g, node, 0)].shape;
    single *s = base_array(1, sizeof *s);
    if (s == NULL)
        return base_fail_memory(err, "a layer");
    s->threads = threads;
    admmnn_status status = graph_create("layer", input, &s->g, err);
    if (status == ADMMNN_OK)
        status = add_layer(s->g, g, node, err);
    if (status == ADMMNN_OK)
        status = make_parts(s, err);
    if (status != ADMMNN_OK) {
        single_free(s);
        return status;
    }
    *out = s;
    return ADMMNN_OK;
}

static void close_sparse(single *s) {
    admmnn_runtime_close(s->sparse);
    base_free(s->workspace);
    s->sparse = NULL;
    s->workspace = NULL;
}

void single_free(single *s) {
    if (s == NULL)
        return;
    close_sparse(s);
    single_dense_free(s->dense);
    base_free(s->params);
    base_free(s->input);
    base_free(s->made);
    graph_free(s->g);
    base_free(s);
}

/* ---- its weights ---- */

typedef struct drawing {
    const single *s;
    single_structure structure;
    double share;
    uint32_t n; /* of a run */
    base_random random;
    bool *stays; /* [columns], of a row */
} drawing;

static bool draw_one(drawing *d) {
    return (double)base_random_uniform(&d->random) < d->share;
}

/* As many of them as stay of a whole run, each choice as likely. */
static void draw_run(drawing *d, uint32_t first, uint32_t count) {
    uint32_t wanted = d->n < count ? d->n : count;
    for (uint32_t i = 0; i < count; i++) {
        d->stays[first + i] = base_random_below(&d->random, count - i) < wanted;
        wanted -= d->stays[first + i];
    }
}

static void draw_row(drawing *d, uint32_t row) {
    const uint32_t columns = d->s->g->parameters[0].columns;
    const uint32_t same[] = {[SINGLE_UNSTRUCTURED] = 1,
                             [SINGLE_BLOCKS] = SINGLE_BLOCK_ROWS,
                             [SINGLE_COLUMNS] = UINT32_MAX,
                             [SINGLE_N_OF_M] = 1};
    if (row % same[d->structure] != 0)
        return;
    if (d->structure == SINGLE_N_OF_M)
        for (uint32_t i = 0; i < columns; i += SINGLE_RUN)
            draw_run(d, i, columns - i < SINGLE_RUN ? columns - i : SINGLE_RUN);
    else
        for (uint32_t i = 0; i < columns; i++)
            d->stays[i] = draw_one(d);
}

static void draw_codes(single *s, drawing *d, int32_t *codes) {
    const int32_t most = (int32_t)admm_level_count(ADMM_LEVELS_EQUAL, BITS);
    const graph_parameter *weights = &s->g->parameters[0];
    s->kept = 0;
    for (uint32_t row = 0; row < weights->rows; row++) {
        draw_row(d, row);
        for (uint32_t i = 0; i < weights->columns; i++, codes++) {
            const int32_t code = 1 + (int32_t)base_random_below(&d->random, (uint32_t)most);
            const bool negative = base_random_below(&d->random, 2) == 0;
            *codes = !d->stays[i] ? 0 : negative ? -code : code;
            s->kept += d->stays[i];
        }
    }
}

static admmnn_status draw_tensor(single *s, single_structure structure, double share,
                                 pack_tensor *tensor, admmnn_error *err) {
    const double n = round(share * SINGLE_RUN);
    drawing d = {s,
                 structure,
                 share,
                 n < 1.0 ? 1 : (uint32_t)n,
                 base_random_at(4, 5, 6),
                 base_array(s->g->parameters[0].columns, sizeof *d.stays)};
    *tensor =
        (pack_tensor){.form = PACK_LEVELS, .levels = ADMM_LEVELS_EQUAL, .bits = BITS, .step = STEP};
    tensor->codes = base_array(single_weights(s), sizeof *tensor->codes);
    if (d.stays != NULL && tensor->codes != NULL)
        draw_codes(s, &d, tensor->codes);
    base_free(d.stays);
    return d.stays != NULL && tensor->codes != NULL ? ADMMNN_OK
                                                    : base_fail_memory(err, "a layer's weights");
}

static admmnn_status open_sparse(single *s, const pack_model *packed,
                                 admmnn_runtime_weights weights, admmnn_error *err) {
    const admmnn_runtime_settings own = {.weights = weights, .threads = s->threads};
    const pack_settings settings = {PACK_POSITION_BITMAP, PACK_CODER_FIXED, NULL};
    admmnn_runtime_error failure;
    uint8_t *bytes;
    size_t count;
    BASE_TRY(pack_encode(packed, &settings, &bytes, &count, NULL, err));
    const admmnn_runtime_status opened =
        admmnn_runtime_open_memory(bytes, count, &own, &s->sparse, &failure);
    base_free(bytes);
    if (opened == ADMMNN_RUNTIME_MEMORY)
        return base_fail_memory(err, "a layer of the runtime");
    if (opened != ADMMNN_RUNTIME_OK)
        return base_fail(err, ADMMNN_BACKEND, "the runtime does not open a layer: %s",
                         failure.reason);
    admmnn_runtime_get_info(s->sparse, &s->info);
    s->workspace = base_array(s->info.workspace_bytes, 1);
    return s->workspace != NULL ? ADMMNN_OK : base_fail_memory(err, "a layer of the runtime");
}

admmnn_status single_draw(single *s, single_structure structure, double share,
                          admmnn_runtime_weights weights, admmnn_error *err) {
    pack_model *packed;
    close_sparse(s);
    BASE_TRY(pack_model_create(s->g, &packed, err));
    admmnn_status status = draw_tensor(s, structure, share, &packed->tensors[0], err);
    if (status == ADMMNN_OK) {
        pack_model_values(packed, s->params);
        status = open_sparse(s, packed, weights, err);
    }
    pack_model_free(packed);
    BASE_TRY(status);
    return single_dense_prepare(s->dense, s->input, err);
}

/* ---- running ---- */

admmnn_status single_run_sparse(single *s, admmnn_error *err) {
    if (admmnn_runtime_run(s->sparse, s->workspace, s->input, 1, s->made) != ADMMNN_RUNTIME_OK)
        return base_fail(err, ADMMNN_BACKEND, "the runtime failed");
    return ADMMNN_OK;
}

admmnn_status single_run_dense(single *s, admmnn_error *err) {
    return single_dense_run(s->dense, err);
}

admmnn_status single_compare(single *s, double *apart, admmnn_error *err) {
    const float *expected;
    double most = 0.0;
    double size = 0.0;
    BASE_TRY(single_run_sparse(s, err));
    BASE_TRY(single_run_dense(s, err));
    BASE_TRY(single_dense_read(s->dense, &expected, err));
    for (size_t i = 0; i < s->outputs; i++) {
        most = fmax(most, fabs((double)s->made[i] - (double)expected[i]));
        size = fmax(size, fabs((double)expected[i]));
    }
    *apart = size > 0.0 ? most / size : most;
    return single_dense_prepare(s->dense, s->input, err);
}

/* ---- counts ---- */

uint64_t single_weights(const single *s) {
    return s->g->parameters[0].count;
}

uint64_t single_operations(const single *s) {
    return single_weights(s) * (s->outputs / s->g->parameters[0].rows);
}
