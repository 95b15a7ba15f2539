#include "pack/model_calibrate.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "pack/model_file.h"
#include "pack/range.h"

#define IMAGES_MOST 256U
/* Numbers of a pass, and of all its images. */
#define PEAKS_MOST ((size_t)1 << 16)
#define FLOATS_MOST ((size_t)1 << 24)
/* Of a batch's values, all of which are there until its end. */
#define BATCH_FLOATS ((size_t)1 << 26)

typedef struct calibration {
    const pack_model *model;
    const float *params;
    const data_set *images;
    base_pool *pool;
    model_range *ranges;
    admmnn_error *err;
} calibration;

/* ---- a graph that makes the largest numbers of values, and of them negated ---- */

/* Any shape as planes; the shape of what has planes stays. */
static graph_shape planes_of(graph_shape shape) {
    const uint32_t rank = shape.rank;
    const size_t width = rank == 0 ? 1 : shape.dims[rank - 1];
    const size_t channels = rank < 2 ? 1 : shape.dims[0];
    const size_t height = graph_shape_count(shape) / width / channels;
    return graph_shape_image((uint32_t)channels, (uint32_t)height, (uint32_t)width);
}

static admmnn_status add_peaks(graph *g, uint32_t value, uint32_t peaks[2], admmnn_error *err) {
    const graph_shape planes = planes_of(g->values[value].shape);
    const graph_window all = {{planes.dims[1], planes.dims[2]}, {1, 1}, {0, 0}, {0, 0}, {1, 1}};
    const graph_unary negative = {.kind = GRAPH_NEG};
    char name[GRAPH_NAME_MAX];
    uint32_t v;
    snprintf(name, sizeof name, "planes %u", value);
    BASE_TRY(graph_add_reshape(g, name, value, planes, &v, err));
    snprintf(name, sizeof name, "high %u", value);
    BASE_TRY(graph_add_maxpool(g, name, v, graph_pool_of(all), &peaks[0], err));
    snprintf(name, sizeof name, "negative %u", value);
    BASE_TRY(graph_add_unary(g, name, v, negative, &v, err));
    snprintf(name, sizeof name, "low %u", value);
    return graph_add_maxpool(g, name, v, graph_pool_of(all), &peaks[1], err);
}

/* The i-th value that varies: the input, then what each node makes. */
static uint32_t listed(const graph *g, uint32_t i) {
    return i == 0 ? g->input : g->nodes[i - 1].output;
}

static size_t peak_count(const graph *g, uint32_t i) {
    return 2 * (size_t)planes_of(g->values[listed(g, i)].shape).dims[0];
}

/* The values from the first on that one pass is to measure, one at least: the number after. */
static uint32_t last_of_pass(const graph *g, uint32_t first) {
    uint32_t last = first + 1;
    size_t count = peak_count(g, first);
    while (last <= g->node_count && count + peak_count(g, last) <= PEAKS_MOST)
        count += peak_count(g, last++);
    return last;
}

static admmnn_status add_all(graph *g, uint32_t first, uint32_t last, admmnn_error *err) {
    uint32_t *peaks = base_array(last - first, 2 * sizeof *peaks);
    uint32_t v;
    if (peaks == NULL)
        return base_fail_memory(err, "the ranges of values");
    admmnn_status status = ADMMNN_OK;
    for (uint32_t i = first; i < last && status == ADMMNN_OK; i++)
        status = add_peaks(g, listed(g, i), peaks + 2 * (i - first), err);
    if (status == ADMMNN_OK)
        status = graph_add_concat(g, "peaks", peaks, 2 * (last - first), 0, &v, err);
    base_free(peaks);
    return status;
}

/* ---- measuring ---- */

static float largest(const float *values, size_t count, float most) {
    for (size_t i = 0; i < count; i++)
        most = values[i] > most || isnan(values[i]) ? values[i] : most; /* a NaN stays */
    return most;
}

/* Of one image. */
static void widen_ranges(const calibration *c, uint32_t first, uint32_t last, const float *peaks) {
    const graph *g = c->model->g;
    for (uint32_t i = first; i < last; i++) {
        model_range *range = &c->ranges[listed(g, i)];
        const size_t half = peak_count(g, i) / 2;
        range->high = largest(peaks, half, range->high);
        range->low = -largest(peaks + half, half, -range->low);
        peaks += 2 * half;
    }
}

static uint32_t batch_of(const graph *g, size_t count) {
    size_t floats = 1;
    for (uint32_t v = 0; v < g->value_count; v++)
        floats += graph_value_count(g, v);
    const size_t most = BATCH_FLOATS / floats + 1;
    return (uint32_t)(count < most ? count : most);
}

static admmnn_status answer(const calibration *c, const graph *g, size_t count, float *peaks) {
    const engine_settings settings = {.max_batch = batch_of(g, count)};
    const data_view view = {.set = c->images, .tones = c->model->tones};
    train_network *network;
    BASE_TRY(train_network_create(g, c->params, c->pool, &settings, &network, c->err));
    const admmnn_status status = train_network_answer(network, &view, count, peaks, c->err);
    train_network_free(network);
    return status;
}

/* g: the model's, and what makes the peaks of its values [first, last). */
static admmnn_status run_pass(const calibration *c, const graph *g, uint32_t first, uint32_t last) {
    const size_t each = graph_value_count(g, g->output);
    const size_t most = FLOATS_MOST / each + 1 < IMAGES_MOST ? FLOATS_MOST / each + 1 : IMAGES_MOST;
    const size_t count = c->images->count < most ? c->images->count : most;
    float *peaks = base_array(count, each * sizeof *peaks);
    if (peaks == NULL)
        return base_fail_memory(c->err, "the ranges of values");
    const admmnn_status status = answer(c, g, count, peaks);
    for (size_t i = 0; status == ADMMNN_OK && i < count; i++)
        widen_ranges(c, first, last, peaks + i * each);
    base_free(peaks);
    return status;
}

/* Pixels from 0 to 255, as they are normalised. */
static void widen_input(const calibration *c) {
    const data_tones *tones = &c->model->tones;
    model_range *range = &c->ranges[c->model->g->input];
    for (int i = 0; c->images->values == NULL && i < DATA_TONES; i++) {
        const float ends[] = {(0.0F - tones->mean[i]) * tones->scale[i],
                              (1.0F - tones->mean[i]) * tones->scale[i]};
        range->high = largest(ends, 2, range->high);
        range->low = fminf(range->low, fminf(ends[0], ends[1]));
    }
}

admmnn_status model_calibrate(const pack_model *model, const float *params, const data_set *images,
                              base_pool *pool, model_range *ranges, admmnn_error *err) {
    const calibration c = {model, params, images, pool, ranges, err};
    uint32_t last;
    for (uint32_t v = 0; v < model->g->value_count; v++)
        ranges[v] = (model_range){0.0F, 0.0F};
    for (uint32_t first = 0; first <= model->g->node_count; first = last) {
        graph *g;
        last = last_of_pass(model->g, first);
        BASE_TRY(graph_clone(model->g, &g, err));
        admmnn_status status = add_all(g, first, last, err);
        if (status == ADMMNN_OK)
            status = run_pass(&c, g, first, last);
        graph_free(g);
        BASE_TRY(status);
    }
    widen_input(&c);
    return ADMMNN_OK;
}

admmnn_status model_calibrate_on(const pack_model *model, const float *params, const char *path,
                                 const admmnn_images *images, const admmnn_context *context,
                                 model_range *ranges, admmnn_error *err) {
    base_pool *pool = NULL;
    data_set set;
    BASE_TRY(model_images_open(model->g, path, images, context, DATA_TRAIN, &set, err));
    model_note_tones(model, path, images, &set, context);
    admmnn_status status = base_pool_create(context == NULL ? 0 : context->threads, &pool, err);
    if (status == ADMMNN_OK)
        status = model_calibrate(model, params, &set, pool, ranges, err);
    base_pool_destroy(pool);
    data_set_free(&set);
    return status;
}

static admmnn_status fill_ranges(pack_model *model, const char *path, const admmnn_images *images,
                                 const admmnn_context *context, float *params, model_range *found,
                                 admmnn_error *err) {
    pack_model_values(model, params);
    BASE_TRY(model_calibrate_on(model, params, path, images, context, found, err));
    base_free(model->ranges);
    model->ranges = base_array(model->g->value_count, sizeof *model->ranges);
    if (model->ranges == NULL)
        return base_fail_memory(err, path);
    for (uint32_t v = 0; v < model->g->value_count; v++)
        model->ranges[v] = range_of(found[v].low, found[v].high);
    return ADMMNN_OK;
}

admmnn_status model_find_ranges(pack_model *model, const char *path, const admmnn_images *images,
                                const admmnn_context *context, admmnn_error *err) {
    BASE_TRY(model_choose_tones(model, path, images, &model->tones, err));
    float *params = base_array(model->g->flat_count, sizeof *params);
    model_range *found = base_array(model->g->value_count, sizeof *found);
    const admmnn_status status =
        params == NULL || found == NULL
            ? base_fail_memory(err, path)
            : fill_ranges(model, path, images, context, params, found, err);
    base_free(params);
    base_free(found);
    return status;
}
