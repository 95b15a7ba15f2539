/* The network of a run: of the zoo, or the one that a model file holds. */
#include <string.h>

#include "base/memory.h"
#include "compress/run.h"
#include "graph/zoo.h"
#include "pack/convert.h"
#include "pack/model_file.h"

static admmnn_status read_file(const recipe *r, pack_model **model, admmnn_error *err) {
    uint64_t file_bytes;
    bool described;
    return model_file_read(r->model_path, NULL, model, NULL, &file_bytes, &described, err);
}

/* Of all that a run writes again, so that data outside the file and its names count too. What
 * no ONNX file holds is refused here, not after the training. */
static admmnn_status digest_of(const recipe *r, const pack_model *model, char digest[65],
                               admmnn_error *err) {
    const admmnn_status status = pack_digest_onnx(model, digest, err);
    return status == ADMMNN_OK ? status : base_fail_within(err, status, "%s", r->model_path);
}

admmnn_status run_digest_model(const recipe *r, char digest[65], admmnn_error *err) {
    pack_model *model;
    digest[0] = 0;
    if (r->model_path[0] == 0)
        return ADMMNN_OK;
    BASE_TRY(read_file(r, &model, err));
    const admmnn_status status = digest_of(r, model, digest, err);
    pack_model_free(model);
    return status;
}

/* Each would have its own, and be counted twice. */
static admmnn_status check_shared(const compress_run *run, admmnn_error *err) {
    const onnx_labels *labels = run->labels;
    for (uint32_t p = 0; labels != NULL && p < run->g->parameter_count; p++) {
        char names[2][GRAPH_PARAMETER_NAME_MAX];
        if (labels->shared[p] == p || run->g->parameters[p].kind != GRAPH_WEIGHT)
            continue;
        graph_parameter_name(run->g, labels->shared[p], names[0]);
        graph_parameter_name(run->g, p, names[1]);
        return base_fail(err, ADMMNN_UNSUPPORTED,
                         "%s: %s and %s are one tensor, and would be compressed apart; 'admmnn "
                         "import' writes a model where each has its own",
                         run->r->model_path, names[0], names[1]);
    }
    return ADMMNN_OK;
}

static admmnn_status take_model(compress_run *run, pack_model *model, admmnn_error *err) {
    BASE_TRY(digest_of(run->r, model, run->model_sha256, err));
    run->dense = base_array(model->g->flat_count, sizeof *run->dense);
    if (run->dense == NULL)
        return base_fail_memory(err, run->r->model_path);
    pack_model_values(model, run->dense);
    BASE_TRY(model_open_logits(model->g, run->r->model_path, &run->g, &run->ending, err));
    run->tones = model->tones;
    run->tones_untold = !model->tones_told;
    run->labels = model->labels;
    model->labels = NULL;
    return check_shared(run, err);
}

admmnn_status run_read_model(compress_run *run, admmnn_error *err) {
    pack_model *model;
    run->ending.op = GRAPH_OP_COUNT;
    run->tones = data_tones_of(0.0F, 1.0F);
    if (run->r->model_path[0] == 0)
        return ADMMNN_OK;
    BASE_TRY(read_file(run->r, &model, err));
    const admmnn_status status = take_model(run, model, err);
    pack_model_free(model);
    return status;
}

static admmnn_status make_zoo(compress_run *run, admmnn_error *err) {
    const admmnn_status status =
        graph_zoo_create(run->r->model, run->train.shape, run->train.classes, &run->g, err);
    return status == ADMMNN_OK ? ADMMNN_OK
                               : base_fail_within(err, status, "%s", run->r->dataset_path);
}

admmnn_status run_make_graph(compress_run *run, admmnn_error *err) {
    const recipe *r = run->r;
    if (r->model_path[0] == 0)
        return make_zoo(run, err);
    const graph_shape shape = run->g->values[run->g->input].shape;
    const size_t outputs = graph_value_count(run->g, run->g->output);
    char texts[2][GRAPH_SHAPE_TEXT_MAX];
    if (data_set_suits(&run->train, shape) && outputs >= run->train.classes)
        return ADMMNN_OK;
    return base_fail(err, ADMMNN_INPUT,
                     "%s: images of %s in %u classes; %s wants %s and tells %zu apart%s",
                     r->dataset_path, graph_shape_text(run->train.shape, texts[0]),
                     run->train.classes, r->model_path, graph_shape_text(shape, texts[1]), outputs,
                     r->dataset_format == DATA_FOLDER
                         ? "; dataset.size and dataset.colour say what images become"
                         : "");
}

admmnn_status run_draw_weights(compress_run *run, admmnn_error *err) {
    if (run->dense != NULL)
        return ADMMNN_OK;
    run->dense = base_array(run->g->flat_count, sizeof *run->dense);
    if (run->dense == NULL)
        return base_fail_memory(err, "the parameters");
    graph_initialise(run->g, run->r->seed, run->dense);
    return ADMMNN_OK;
}

bool run_is_layer(const compress_run *run, uint32_t layer, const char *name) {
    return recipe_find_layer(run->g, run->labels, name) == run->layers[layer].node;
}
