#include "hardware/break_even.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "admmnn/break_even.h"
#include "base/context.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/pool.h"
#include "pack/model_file.h"
#include "report/report.h"

const double break_even_shares[BREAK_EVEN_SHARES] = {0.05, 0.1, 0.2, 0.3, 0.4, 0.55, 0.75, 1.0};

/* Both sums are of 32 bits. */
#define APART_MOST 1e-4

double break_even_ratio(const single_times *times) {
    return times->least[SINGLE_DENSE] / times->least[SINGLE_SPARSE];
}

double break_even_find(const double *kept, const double *ratios, size_t count) {
    if (ratios[0] < 1.0)
        return 0.0;
    for (size_t i = 1; i < count; i++)
        if (ratios[i] < 1.0) {
            const double part = log(ratios[i - 1]) / log(ratios[i - 1] / ratios[i]);
            return kept[i - 1] * pow(kept[i] / kept[i - 1], part);
        }
    return 1.0;
}

/* ---- the shapes of a model ---- */

static bool is_measured(const graph_node *node) {
    return node->op == GRAPH_CONV || node->op == GRAPH_INNER_PRODUCT;
}

static bool are_alike(const graph *g, const graph_node *a, const graph_node *b) {
    const graph_shape x = graph_operand_shape(g, a, 0);
    const graph_shape y = graph_operand_shape(g, b, 0);
    if (a->op != b->op || graph_shape_count(x) != graph_shape_count(y) ||
        g->parameters[a->weight].rows != g->parameters[b->weight].rows)
        return false;
    return a->op == GRAPH_INNER_PRODUCT ||
           (graph_shape_equal(x, y) && a->conv.groups == b->conv.groups &&
            memcmp(&a->conv.window, &b->conv.window, sizeof a->conv.window) == 0);
}

/* The first layer of its shape, by number; itself where it is. */
static uint32_t first_alike(const graph *g, uint32_t layer) {
    const graph_node *node = &g->nodes[graph_layer(g, layer)];
    uint32_t i = 0;
    while (!are_alike(g, &g->nodes[graph_layer(g, i)], node))
        i++;
    return i;
}

static void describe(const graph *g, const graph_node *node, char *what, size_t size) {
    const graph_shape in = graph_operand_shape(g, node, 0);
    const graph_shape out = g->values[node->output].shape;
    const graph_window *w = &node->conv.window;
    if (node->op == GRAPH_INNER_PRODUCT)
        snprintf(what, size, "fc %u to %u", g->parameters[node->weight].columns,
                 g->parameters[node->weight].rows);
    else
        snprintf(what, size, "conv %ux%u/%u, %u x %u x %u to %u x %u x %u%s", w->kernel[0],
                 w->kernel[1], w->stride[0], graph_shape_channels(in), graph_shape_height(in),
                 graph_shape_width(in), graph_shape_channels(out), graph_shape_height(out),
                 graph_shape_width(out), node->conv.groups > 1 ? ", groups" : "");
}

/* ---- measuring ---- */

typedef struct work {
    const admmnn_break_even_settings *settings;
    const admmnn_context *context;
    const graph *g;
    uint64_t done, total; /* shapes at a share */
} work;

static admmnn_status measure_share(work *w, single *s, size_t i, break_even_shape *shape,
                                   admmnn_error *err) {
    const admmnn_progress progress = {
        "measuring layers", "cases", w->done++, w->total, (double)w->done / (double)w->total,
        shape->name};
    double apart;
    if (base_cancelled(w->context))
        return base_fail(err, ADMMNN_CANCELLED, "stopped; nothing was written");
    base_progress(w->context, &progress);
    BASE_TRY(single_draw(s, SINGLE_UNSTRUCTURED, break_even_shares[i], ADMMNN_RUNTIME_LISTS, err));
    BASE_TRY(single_compare(s, &apart, err));
    if (!(apart < APART_MOST))
        return base_fail(err, ADMMNN_BACKEND, "%s: sparse and dense outputs are %g apart",
                         shape->name, apart);
    shape->kept[i] = (double)s->kept / (double)single_weights(s);
    return single_time(s, w->settings->seconds, &shape->times[i], err);
}

static admmnn_status measure_shape(work *w, uint32_t layer, unsigned threads,
                                   break_even_shape *shape, admmnn_error *err) {
    const graph_node *node = &w->g->nodes[graph_layer(w->g, layer)];
    double ratios[BREAK_EVEN_SHARES];
    single *s;
    snprintf(shape->name, sizeof shape->name, "%s", node->name);
    describe(w->g, node, shape->what, sizeof shape->what);
    BASE_TRY(single_create(w->g, layer, threads, &s, err));
    admmnn_status status = ADMMNN_OK;
    for (size_t i = 0; i < BREAK_EVEN_SHARES && status == ADMMNN_OK; i++) {
        status = measure_share(w, s, i, shape, err);
        ratios[i] = break_even_ratio(&shape->times[i]);
    }
    single_free(s);
    if (status == ADMMNN_OK)
        shape->equal = break_even_find(shape->kept, ratios, BREAK_EVEN_SHARES);
    return status;
}

/* Layers by the number of the first of their shape: *count shapes. */
static void count_shapes(const graph *g, uint32_t *layers, size_t *count) {
    *count = 0;
    for (uint32_t i = 0; i < graph_layer_count(g); i++)
        if (is_measured(&g->nodes[graph_layer(g, i)]))
            *count += layers[first_alike(g, i)]++ == 0;
}

static admmnn_status measure_all(work *w, break_even *b, admmnn_error *err) {
    const uint32_t count = graph_layer_count(w->g);
    uint32_t *layers = base_array(count, sizeof *layers);
    if (layers == NULL)
        return base_fail_memory(err, "the layers");
    count_shapes(w->g, layers, &b->count);
    w->total = b->count * BREAK_EVEN_SHARES;
    b->shapes = base_array(b->count, sizeof *b->shapes);
    admmnn_status status = b->shapes != NULL ? ADMMNN_OK : base_fail_memory(err, "the layers");
    break_even_shape *shape = b->shapes;
    for (uint32_t i = 0; i < count && status == ADMMNN_OK; i++) {
        if (layers[i] == 0)
            continue;
        shape->layers = layers[i];
        status = measure_shape(w, i, b->threads, shape++, err);
    }
    base_free(layers);
    return status;
}

/* ---- the call ---- */

static admmnn_status finish(const admmnn_break_even_settings *settings, const break_even *b,
                            char **text, admmnn_error *err) {
    base_writer json = {0};
    base_writer shown = {0};
    admmnn_status status = ADMMNN_OK;
    break_even_write_json(b, &json);
    if (!settings->json)
        break_even_write_table(b, &shown);
    base_write_u8(settings->json ? &json : &shown, 0);
    if (json.failed || shown.failed)
        status = base_fail_memory(err, "the figures");
    if (status == ADMMNN_OK && settings->plot != NULL)
        status = report_write_break_even(settings->plot, (const char *)json.bytes,
                                         json.count - (settings->json ? 1 : 0), err);
    *text = (char *)(settings->json ? json.bytes : shown.bytes);
    if (status != ADMMNN_OK || !settings->json)
        base_writer_free(&json);
    if (status != ADMMNN_OK)
        base_writer_free(&shown);
    return status;
}

static admmnn_status run(const admmnn_break_even_settings *settings, const admmnn_context *context,
                         const graph *g, char **text, admmnn_error *err) {
    work w = {settings, context, g, 0, 0};
    break_even b = {.threads = base_pool_resolve(context == NULL ? 0 : context->threads)};
    snprintf(b.model, sizeof b.model, "%s", g->name);
    admmnn_status status = measure_all(&w, &b, err);
    if (status == ADMMNN_OK && b.count == 0)
        status =
            base_fail(err, ADMMNN_UNSUPPORTED,
                      "%s: neither a convolution nor an inner product is in it", settings->model);
    if (status == ADMMNN_OK)
        status = finish(settings, &b, text, err);
    base_free(b.shapes);
    return status;
}

admmnn_status admmnn_break_even(const admmnn_break_even_settings *settings,
                                const admmnn_context *context, char **text, admmnn_error *err) {
    admmnn_model *model;
    if (!(settings->seconds > 0.0) || !isfinite(settings->seconds))
        return base_fail(err, ADMMNN_USAGE, "%g seconds a case; a finite number above 0 is needed",
                         settings->seconds);
    if (settings->plot != NULL) {
        BASE_TRY(model_check_output(settings->model, settings->plot, settings->force, err));
        BASE_TRY(base_file_probe_write(settings->plot, err));
    }
    BASE_TRY(admmnn_model_open(settings->model, context, &model, err));
    const admmnn_status status = run(settings, context, model->packed->g, text, err);
    admmnn_model_close(model);
    return status;
}
