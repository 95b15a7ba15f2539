/* A data set as an opened model reads it: `eval`'s and `finetune`'s. */
#include <stdlib.h>
#include <string.h>

#include "pack/model_file.h"

/* Of a set that may be held; more is streamed, where it is of files. */
#define IMAGES_MEMORY ((size_t)1 << 30)

/* A number from 0 to 1 before a comma or the end. */
static bool next_share(const char **at, float *share) {
    char *end;
    const size_t plain = strspn(*at, "0123456789+-.eE");
    *share = strtof(*at, &end);
    const bool read = end != *at && end <= *at + plain && *share >= 0.0F && *share <= 1.0F;
    *at = *end == ',' ? end + 1 : end;
    return read && (*end == 0 || (*end == ',' && **at != 0));
}

/* One number, then all three are it, or one each of three. */
static admmnn_status read_shares(const char *option, const char *text, float shares[DATA_TONES],
                                 size_t *count, admmnn_error *err) {
    const char *at = text;
    bool read = true;
    *count = 0;
    while (read && *at != 0 && *count < DATA_TONES)
        read = next_share(&at, &shares[(*count)++]);
    if (!read || *at != 0 || (*count != 1 && *count != DATA_TONES))
        return base_fail(err, ADMMNN_USAGE,
                         "%s: '%.80s'; one number from 0 to 1 is wanted, or three with commas "
                         "between, of pixels / 255",
                         option, text);
    for (size_t c = *count; c < DATA_TONES; c++)
        shares[c] = shares[0];
    return ADMMNN_OK;
}

static admmnn_status read_tones(const admmnn_images *images, const char *path, uint32_t channels,
                                data_tones *tones, admmnn_error *err) {
    float deviations[DATA_TONES];
    size_t counts[2];
    BASE_TRY(read_shares("--mean", images->mean, tones->mean, &counts[0], err));
    BASE_TRY(read_shares("--deviation", images->deviation, deviations, &counts[1], err));
    if (counts[0] != counts[1])
        return base_fail(err, ADMMNN_USAGE,
                         "--mean %.80s, --deviation %.80s: as many of both are "
                         "wanted",
                         images->mean, images->deviation);
    if (counts[0] == DATA_TONES && channels != DATA_TONES)
        return base_fail(err, ADMMNN_USAGE,
                         "--mean: three numbers are of three channels; %s reads %u", path,
                         channels);
    for (size_t c = 0; c < DATA_TONES; c++) {
        if (!(deviations[c] > 0.0F))
            return base_fail(err, ADMMNN_USAGE, "--deviation: must be above 0");
        tones->scale[c] = (float)(1.0 / (double)deviations[c]);
    }
    return ADMMNN_OK;
}

/* What is asked for goes before what the model says. */
admmnn_status model_choose_tones(const pack_model *model, const char *path,
                                 const admmnn_images *images, data_tones *tones,
                                 admmnn_error *err) {
    const graph *g = model->g;
    *tones = model->tones;
    if ((images->mean == NULL) != (images->deviation == NULL))
        return base_fail(err, ADMMNN_USAGE, "--%s is missing; --mean and --deviation go together",
                         images->mean == NULL ? "mean" : "deviation");
    if (images->mean != NULL)
        return read_tones(images, path, graph_shape_channels(g->values[g->input].shape), tones,
                          err);
    return ADMMNN_OK;
}

void model_note_untold(const char *path, const char *otherwise, const admmnn_context *context) {
    base_log(context, ADMMNN_LOG_INFO,
             "%s does not say how pixels are normalised, and is given pixels / 255; %s", path,
             otherwise);
}

admmnn_status model_tell_tones(pack_model *model, const char *path, const char *mean,
                               const char *deviation, const char *where,
                               const admmnn_context *context, admmnn_error *err) {
    const admmnn_images pixels = {.mean = mean, .deviation = deviation};
    const graph_shape shape = model->g->values[model->g->input].shape;
    BASE_TRY(model_choose_tones(model, path, &pixels, &model->tones, err));
    if (mean == NULL && !model->tones_told && shape.rank == 3) /* else it reads no images */
        model_note_untold(path, where, context);
    return ADMMNN_OK;
}

void model_note_tones(const pack_model *model, const char *path, const admmnn_images *images,
                      const data_set *set, const admmnn_context *context) {
    if (!model->tones_told && images->mean == NULL && set->values == NULL)
        model_note_untold(path, "--mean and --deviation say otherwise", context);
}

static admmnn_status check_images(const graph *g, const char *path, const data_set *set,
                                  const char *folder, admmnn_error *err) {
    const graph_shape shape = g->values[g->input].shape;
    char texts[2][GRAPH_SHAPE_TEXT_MAX];
    if (data_set_suits(set, shape) && graph_value_count(g, g->output) >= set->classes)
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_INPUT,
                     "%s: images of %s in %u classes; %s wants %s and tells %zu apart", folder,
                     graph_shape_text(set->shape, texts[0]), set->classes, path,
                     graph_shape_text(shape, texts[1]), graph_value_count(g, g->output));
}

/* Images of a folder become what the network reads. */
admmnn_status model_images_open(const graph *g, const char *path, const admmnn_images *images,
                                const admmnn_context *context, data_part part, data_set *set,
                                admmnn_error *err) {
    const graph_shape shape = g->values[g->input].shape;
    data_settings settings = {.path = images->path,
                              .resize = images->resize,
                              .grey = graph_shape_channels(shape) == 1,
                              .memory = IMAGES_MEMORY,
                              .damaged_most = images->max_damaged,
                              .context = context};
    BASE_TRY(data_format_find(images->format, &settings.format, err));
    settings.size = settings.format == DATA_FOLDER ? graph_shape_height(shape) : 0;
    if (settings.format != DATA_FOLDER && (settings.resize > 0 || settings.damaged_most > 0))
        return base_fail(err, ADMMNN_USAGE, "--%s is of --format folder",
                         settings.resize > 0 ? "resize" : "max-damaged");
    if (settings.resize > 0 && settings.resize < settings.size)
        return base_fail(err, ADMMNN_USAGE,
                         "--resize: %u; %s takes %u pixels, so that it must be %u at least",
                         settings.resize, path, settings.size, settings.size);
    BASE_TRY(data_open(&settings, part, set, err));
    admmnn_status status = check_images(g, path, set, images->path, err);
    if (status == ADMMNN_OK && set->values != NULL && images->mean != NULL)
        status =
            base_fail(err, ADMMNN_USAGE,
                      "--mean: the images of %s are floats, and taken as they are", images->path);
    if (status != ADMMNN_OK)
        data_set_free(set);
    return status;
}
