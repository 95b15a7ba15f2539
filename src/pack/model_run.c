/* Running an opened model: on floats, on a test set, on NumPy's arrays. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "data/npy.h"
#include "pack/model_file.h"

#define ARRAY_BYTES_MOST ((size_t)8 << 30)
/* A pass of the engine: samples at most, and floats of its largest value. */
#define BATCH 256U
#define BATCH_FLOATS ((size_t)1 << 26)

typedef struct samples {
    const float *from;
    size_t elements;
} samples;

static void fill(void *user, size_t sample, float *input, size_t stride) {
    const samples *s = user;
    const float *from = s->from + sample * s->elements;
    for (size_t i = 0; i < s->elements; i++)
        input[i * stride] = from[i];
}

/* What is recorded for a whole batch takes as long, and as much memory, for one sample. */
static uint32_t batch_of(const graph *g, size_t count) {
    size_t largest = 1;
    for (uint32_t v = 0; v < g->value_count; v++)
        if (graph_value_varies(g, v) && graph_value_count(g, v) > largest)
            largest = graph_value_count(g, v);
    const size_t room = BATCH_FLOATS / largest;
    const size_t most = room == 0 ? 1 : room < BATCH ? room : BATCH;
    return (uint32_t)(count < most ? count : most);
}

static admmnn_status keep_nonzeros(const admmnn_model *model, train_network *network,
                                   admmnn_error *err) {
    const size_t count = model->packed->g->flat_count;
    uint8_t *mask = base_array(count, 1);
    if (mask == NULL)
        return base_fail_memory(err, model->path);
    for (size_t i = 0; i < count; i++)
        mask[i] = model->params[i] != 0.0F;
    admmnn_status status = train_network_restrict(network, mask, err);
    base_free(mask);
    return status;
}

/* On the weights that are not 0 where those are few: a layer that keeps many is copied
 * before each pass. g: the model's, with its ending or without. */
static admmnn_status open_network(const admmnn_model *model, const graph *g, uint32_t batch,
                                  train_network **out, admmnn_error *err) {
    const engine_settings settings = {.max_batch = batch};
    train_network *network;
    BASE_TRY(train_network_create(g, model->params, model->pool, &settings, &network, err));
    admmnn_status status = ADMMNN_OK;
    if (engine_gains_by_support(network->engine) &&
        model_kept_weights(model) < graph_weight_count(g) / 2)
        status = keep_nonzeros(model, network, err);
    if (status != ADMMNN_OK) {
        train_network_free(network);
        return status;
    }
    engine_hold(network->engine, network->params);
    *out = network;
    return ADMMNN_OK;
}

/* That of the last run, unless it takes less than is wanted, or more than twice as much. */
static admmnn_status open_run(admmnn_model *model, uint32_t batch, admmnn_error *err) {
    const uint32_t open = model->network == NULL ? 0 : model->network->batch;
    if (open >= batch && open <= 2 * batch)
        return ADMMNN_OK;
    train_network_free(model->network);
    model->network = NULL;
    return open_network(model, model->packed->g, batch, &model->network, err);
}

admmnn_status admmnn_model_run(admmnn_model *model, const float *input, size_t count, float *output,
                               admmnn_error *err) {
    const graph *g = model->packed->g;
    samples from = {input, graph_value_count(g, g->input)};
    size_t outputs = graph_value_count(g, g->output);
    const uint32_t most = batch_of(g, count);
    if (count > 0)
        BASE_TRY(open_run(model, most, err));
    for (size_t done = 0; done < count; done += most) {
        engine_batch batch = {
            .count = count - done < most ? count - done : most, .fill = fill, .user = &from};
        BASE_TRY(
            engine_forward(model->network->engine, model->network->params, &batch, output, err));
        from.from += batch.count * from.elements;
        output += batch.count * outputs;
    }
    return ADMMNN_OK;
}

/* The loss is of logits, which an ending makes probabilities of. */
static admmnn_status evaluate(const admmnn_model *model, const data_set *test, data_tones tones,
                              train_score *score, admmnn_error *err) {
    graph *logits;
    train_network *network = NULL;
    BASE_TRY(graph_clone(model->packed->g, &logits, err));
    (void)graph_cut_ending(logits);
    admmnn_status status =
        open_network(model, logits, batch_of(logits, test->count), &network, err);
    if (status == ADMMNN_OK)
        status = train_network_evaluate(network, network->params, test, NULL, test->count, tones,
                                        score, err);
    train_network_free(network);
    graph_free(logits);
    return status;
}

admmnn_status admmnn_model_evaluate(admmnn_model *model, const admmnn_images *images,
                                    admmnn_evaluation *evaluation, admmnn_error *err) {
    data_set test;
    data_tones tones;
    BASE_TRY(model_choose_tones(model->packed, model->path, images, &tones, err));
    BASE_TRY(model_images_open(model->packed->g, model->path, images, &model->log, DATA_TEST, &test,
                               err));
    model_note_tones(model->packed, model->path, images, &test, &model->log);
    train_score score = {0};
    admmnn_status status = evaluate(model, &test, tones, &score, err);
    data_set_free(&test);
    *evaluation = (admmnn_evaluation){score.count, score.correct, score.accuracy, score.loss};
    return status;
}

/* ---- arrays ---- */

/* Whether the array's last dims are the shape's last ones, all but `left` of them. */
static bool ends_with(const npy_array *array, graph_shape shape, uint32_t left) {
    const uint32_t own = shape.rank - left;
    if (array->rank != own && array->rank != own + 1)
        return false;
    for (uint32_t i = 0; i < own; i++)
        if (array->dims[array->rank - own + i] != shape.dims[left + i])
            return false;
    return true;
}

/* Samples in an array of one or many: a sample's shape, its channels left out
 * where there is one, or its elements in a row. */
static bool count_samples(const npy_array *array, graph_shape shape, size_t *count) {
    const uint32_t most_left = shape.rank == 3 && shape.dims[0] == 1 ? 1 : 0;
    for (uint32_t left = 0; left <= most_left; left++)
        if (ends_with(array, shape, left)) {
            *count = array->rank == shape.rank - left ? 1 : array->dims[0];
            return true;
        }
    *count = array->rank == 2 ? array->dims[0] : 1;
    return (array->rank == 1 || array->rank == 2) &&
           array->dims[array->rank - 1] == graph_shape_count(shape);
}

/* Pixels are normalised as the network wants them. */
static float *network_input(const admmnn_model *model, const npy_array *array) {
    const graph *g = model->packed->g;
    const graph_shape shape = g->values[g->input].shape;
    const uint32_t channels = graph_shape_channels(shape);
    const size_t plane = graph_shape_count(shape) / channels;
    const data_tones *tones = &model->packed->tones;
    float *input = base_array(array->count, sizeof *input);
    for (size_t i = 0; input != NULL && i < array->count; i++) {
        const size_t c = channels == DATA_TONES ? i / plane % DATA_TONES : 0;
        const float value = npy_float(array, i);
        input[i] =
            array->type == NPY_UINT8 ? (value / 255.0F - tones->mean[c]) * tones->scale[c] : value;
    }
    return input;
}

static admmnn_status fail_shape(const admmnn_model *model, const char *name, const npy_array *array,
                                admmnn_error *err) {
    const graph *g = model->packed->g;
    char wanted[GRAPH_SHAPE_TEXT_MAX];
    char found[NPY_RANK_MAX * 24] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < array->rank; i++)
        used += (size_t)snprintf(found + used, sizeof found - used, "%s%zu", i == 0 ? "" : "x",
                                 array->dims[i]);
    return base_fail(err, ADMMNN_INPUT, "%s: %s numbers are no samples of %s, what %s wants", name,
                     array->rank == 0 ? "0-dimensional" : found,
                     graph_shape_text(g->values[g->input].shape, wanted), model->path);
}

static admmnn_status run_array(admmnn_model *model, const char *name, const npy_array *array,
                               base_writer *out, admmnn_error *err) {
    const graph *g = model->packed->g;
    graph_shape shape = g->values[g->input].shape;
    const graph_shape made = g->values[g->output].shape;
    size_t dims[GRAPH_RANK_MAX + 1];
    if (array->type == NPY_INT32 || array->type == NPY_INT64)
        return base_fail(
            err, ADMMNN_UNSUPPORTED,
            "%s: whole numbers of more than 8 bits; pixels from 0 to 255 are wanted as "
            "uint8 (array.astype('u1')), numbers as floats (array.astype('<f4'))",
            name);
    if (!count_samples(array, shape, &dims[0]))
        return fail_shape(model, name, array, err);
    for (uint32_t i = 0; i < made.rank; i++)
        dims[1 + i] = made.dims[i];
    size_t outputs;
    float *input = network_input(model, array);
    float *output = base_multiply(dims[0], graph_shape_count(made), &outputs)
                        ? base_array(outputs, sizeof *output)
                        : NULL;
    admmnn_status status = input == NULL || output == NULL
                               ? base_fail_memory(err, name)
                               : admmnn_model_run(model, input, dims[0], output, err);
    if (status == ADMMNN_OK)
        npy_write(out, output, dims, made.rank + 1);
    base_free(input);
    base_free(output);
    return status == ADMMNN_OK && out->failed ? base_fail_memory(err, name) : status;
}

/* The path behind "NAME=", where NAME is what the file calls its tensor, or the text itself where
 * it can be no name: a slip in a name must not become a file's name. */
static admmnn_status find_path(const admmnn_model *model, const char *option, const char *text,
                               const char *name, const char **path, admmnn_error *err) {
    const size_t length = name == NULL ? 0 : strlen(name);
    const size_t before = strcspn(text, "=/");
    *path = text;
    if (length > 0 && strncmp(text, name, length) == 0 && text[length] == '=')
        *path = text + length + 1;
    else if (text[before] == '=' && length == 0)
        return base_fail(
            err, ADMMNN_USAGE,
            "--%s %s: %s gives its %s no name; the path alone is wanted, one with such "
            "a beginning as ./%s",
            option, text, model->path, option, text);
    else if (text[before] == '=')
        return base_fail(err, ADMMNN_USAGE,
                         "--%s %s: %s calls its %s '%s', not '%.*s'; a path with such a beginning "
                         "is given as ./%s",
                         option, text, model->path, option, name, (int)before, text, text);
    return ADMMNN_OK;
}

admmnn_status admmnn_model_run_file(admmnn_model *model, const char *input, const char *output,
                                    int force, admmnn_error *err) {
    const onnx_labels *labels = model->packed->labels;
    BASE_TRY(find_path(model, "input", input, labels == NULL ? NULL : labels->input, &input, err));
    BASE_TRY(
        find_path(model, "output", output, labels == NULL ? NULL : labels->output, &output, err));
    BASE_TRY(model_check_output(input, output, force, err));
    if (base_file_same(model->path, output))
        return base_fail(err, ADMMNN_USAGE, "%s: the output would replace the model", output);
    uint8_t *bytes;
    size_t count;
    BASE_TRY(base_file_read(input, ARRAY_BYTES_MOST, &bytes, &count, err));
    npy_array array;
    base_writer out = {0};
    admmnn_status status = npy_parse(input, bytes, count, &array, err);
    if (status == ADMMNN_OK && array.type == NPY_UINT8 && !model->packed->tones_told)
        model_note_untold(model->path, "floats are taken as they are", &model->log);
    if (status == ADMMNN_OK)
        status = run_array(model, input, &array, &out, err);
    if (status == ADMMNN_OK)
        status = base_file_write(output, out.bytes, out.count, err);
    base_writer_free(&out);
    base_free(bytes);
    return status;
}
