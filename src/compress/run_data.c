/* The images of a run. */
#include <math.h>

#include "base/memory.h"
#include "compress/run.h"
#include "pack/model_file.h"

/* The largest of each distortion over all stretches. */
static data_augmentation all_augmentations(const recipe *r) {
    const recipe_training *trainings[] = {
        &r->training,     &r->prune.admm.training,    &r->prune.retrain,
        &r->prune.finish, &r->quantize.admm.training, &r->quantize.retrain};
    data_augmentation all = {0};
    for (size_t i = 0; i < sizeof trainings / sizeof trainings[0]; i++) {
        const data_augmentation *a = &trainings[i]->augment;
        all.crop = fmaxf(all.crop, a->crop);
        all.brightness = fmaxf(all.brightness, a->brightness);
        all.contrast = fmaxf(all.contrast, a->contrast);
        all.saturation = fmaxf(all.saturation, a->saturation);
    }
    return all;
}

admmnn_status run_open_part(const recipe *r, const admmnn_context *context, data_part part,
                            data_set *out, admmnn_error *err) {
    const bool crops = all_augmentations(r).crop > 0;
    const data_settings settings = {.format = r->dataset_format,
                                    .path = r->dataset_path,
                                    .size = r->image_size,
                                    .resize = r->image_resize,
                                    .grey = r->grey,
                                    .crops = part == DATA_TRAIN && crops,
                                    .memory = (size_t)r->memory << 20,
                                    .damaged_most = r->max_damaged,
                                    .with_test = true,
                                    .context = context};
    return data_open(&settings, part, out, err);
}

/* Floats are inputs already, and of no range that colours or crops would know. */
static admmnn_status check_values(const compress_run *run, admmnn_error *err) {
    const recipe *r = run->r;
    const data_augmentation all = all_augmentations(r);
    if (run->train.values == NULL)
        return ADMMNN_OK;
    if (r->normalise || r->mean_count > 0)
        return base_fail(err, ADMMNN_INPUT,
                         "%s: %s holds floats, which are taken as they are; "
                         "they are not normalised",
                         r->path, r->dataset_path);
    if (all.crop > 0 || all.brightness > 0 || all.contrast > 0 || all.saturation > 0)
        return base_fail(err, ADMMNN_INPUT,
                         "%s: %s holds floats; crops and colours are for images of bytes", r->path,
                         r->dataset_path);
    return ADMMNN_OK;
}

/* What the recipe says goes before what a model file says. */
static admmnn_status choose_tones(compress_run *run, admmnn_error *err) {
    const recipe *r = run->r;
    if (r->normalise)
        return data_tones_measure(&run->train, run->order, run->train_count,
                                  base_pool_threads(run->pool), &run->tones, err);
    if (r->mean_count == DATA_TONES && graph_shape_channels(run->train.shape) != DATA_TONES)
        return base_fail(err, ADMMNN_INPUT,
                         "%s:%u: dataset.mean: %d means; the images of %s have %u channels",
                         r->path, r->mean_line, DATA_TONES, r->dataset_path,
                         graph_shape_channels(run->train.shape));
    if (r->mean_count == 0 && run->tones_untold && run->train.values == NULL)
        model_note_untold(r->model_path, "dataset.mean and dataset.deviation say otherwise",
                          run->context);
    for (size_t c = 0; c < DATA_TONES && r->mean_count > 0; c++) {
        const size_t given = c < r->mean_count ? c : 0;
        run->tones.mean[c] = (float)r->mean[given];
        run->tones.scale[c] = (float)(1.0 / r->deviation[given]);
    }
    return ADMMNN_OK;
}

admmnn_status run_open_data(compress_run *run, admmnn_error *err) {
    const recipe *r = run->r;
    BASE_TRY(run_open_part(r, run->context, DATA_TRAIN, &run->train, err));
    BASE_TRY(data_set_digest(&run->train, run->data_sha256, err));
    if (run->train.count < 2)
        return base_fail(err, ADMMNN_INPUT,
                         "%s: one training image; one to train on and one to validate with are "
                         "the least",
                         r->dataset_path);
    if (r->validation == 0 || r->validation >= run->train.count)
        return base_fail(err, ADMMNN_INPUT,
                         "%s: dataset.validation is %llu; the %zu training images of %s need it "
                         "between 1 and %zu",
                         r->path, (unsigned long long)r->validation, run->train.count,
                         r->dataset_path, run->train.count - 1);
    run->validation_count = (size_t)r->validation;
    run->train_count = run->train.count - run->validation_count;
    run->order = base_array(run->train.count, sizeof *run->order);
    if (run->order == NULL)
        return base_fail_memory(err, "the order of the images");
    BASE_TRY(check_values(run, err));
    BASE_TRY(data_split(run->train.count, run->validation_count, r->seed, run->order, err));
    return choose_tones(run, err);
}

/* Why a test part is none for the training part; NULL: it is one. */
static const char *tell_misfit(const data_set *train, const data_set *test) {
    if (!graph_shape_equal(test->shape, train->shape))
        return "the test part has images of another size than the training part";
    if (test->values == NULL && train->values != NULL)
        return "the training part holds floats and the test part bytes; they must be alike";
    if (test->values != NULL && train->values == NULL)
        return "the training part holds bytes and the test part floats; they must be alike";
    if (test->classes > train->classes)
        return "the test part has labels that no training image has";
    return NULL;
}

admmnn_status run_open_test(const compress_run *run, data_set *test, admmnn_error *err) {
    BASE_TRY(run_open_part(run->r, run->context, DATA_TEST, test, err));
    const char *reason = tell_misfit(&run->train, test);
    if (reason == NULL)
        return ADMMNN_OK;
    data_set_free(test);
    return base_fail(err, ADMMNN_INPUT, "%s: %s", run->r->dataset_path, reason);
}
