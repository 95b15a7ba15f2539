#include "export/calibrate.h"

#include <math.h>

#include "base/memory.h"
#include "pack/model_file.h"

#define IMAGES_MOST 256U
/* Outputs that are held at once. */
#define FLOATS_MOST ((size_t)1 << 24)

admmnn_status export_calibration_open(const export_job *job, const char *path,
                                      const admmnn_images *images, export_calibration *c) {
    *c = (export_calibration){.job = job};
    BASE_TRY(
        base_pool_create(job->context == NULL ? 0 : job->context->threads, &c->pool, job->err));
    BASE_TRY(
        model_images_open(job->g, path, images, job->context, DATA_TRAIN, &c->images, job->err));
    model_note_tones(job->model, path, images, &c->images, job->context);
    return ADMMNN_OK;
}

void export_calibration_close(export_calibration *c) {
    data_set_free(&c->images);
    base_pool_destroy(c->pool);
}

static float largest(const float *values, size_t count) {
    float most = 0.0F;
    for (size_t i = 0; i < count; i++)
        most = fabsf(values[i]) > most ? fabsf(values[i]) : most;
    return most;
}

/* outputs[count][elements of the graph's output]. */
static admmnn_status answer(const export_calibration *c, const graph *g, size_t count,
                            float *outputs) {
    const engine_settings settings = {.max_batch = (uint32_t)count};
    const data_view view = {.set = &c->images, .tones = c->job->model->tones};
    train_network *network;
    BASE_TRY(train_network_create(g, c->job->params, c->pool, &settings, &network, c->job->err));
    const admmnn_status status = train_network_answer(network, &view, count, outputs, c->job->err);
    train_network_free(network);
    return status;
}

static admmnn_status measure(const export_calibration *c, graph *g, uint32_t value, float *most) {
    const size_t elements = graph_value_count(g, value);
    size_t count = c->images.count < IMAGES_MOST ? c->images.count : IMAGES_MOST;
    if (count > FLOATS_MOST / elements)
        count = FLOATS_MOST / elements + 1;
    float *outputs = base_array(count, elements * sizeof *outputs);
    if (outputs == NULL)
        return base_fail_memory(c->job->err, "the values of the images");
    g->output = value;
    const admmnn_status status = answer(c, g, count, outputs);
    if (status == ADMMNN_OK)
        *most = largest(outputs, count * elements);
    base_free(outputs);
    return status;
}

/* Of the input: pixels from 0 to 255, as they are normalised. */
static float largest_input(const data_tones *tones) {
    float most = 0.0F;
    for (int c = 0; c < DATA_TONES; c++) {
        const float ends[] = {(0.0F - tones->mean[c]) * tones->scale[c],
                              (1.0F - tones->mean[c]) * tones->scale[c]};
        most = fmaxf(most, largest(ends, 2));
    }
    return most;
}

admmnn_status export_calibrate(const export_calibration *c, uint32_t value, float *most) {
    graph *g;
    if (value == c->job->g->input) {
        *most = largest_input(&c->job->model->tones);
        return ADMMNN_OK;
    }
    BASE_TRY(graph_clone(c->job->g, &g, c->job->err));
    const admmnn_status status = measure(c, g, value, most);
    graph_free(g);
    return status;
}
