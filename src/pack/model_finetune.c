/* Training an opened model further. */
#include "base/file.h"
#include "base/memory.h"
#include "pack/convert.h"
#include "pack/model_file.h"
#include "train/loop.h"

#define STREAM 1U
#define RATE_MAX 100

/* What a training holds, all its own but the settings. */
typedef struct tuning {
    const admmnn_finetune_settings *settings;
    pack_model *model;
    graph *g;      /* the model's, without its ending */
    float *params; /* [flat_count] */
    uint8_t *fixed;
    uint32_t *order;
    data_set set;
    base_pool *pool;
    train_network *network;
    train_optimizer *optimizer;
} tuning;

/* The file that is written says by what the training was normalised. */
static admmnn_status open_data(tuning *t, const admmnn_context *context, admmnn_error *err) {
    const admmnn_finetune_settings *s = t->settings;
    data_tones tones;
    BASE_TRY(model_choose_tones(t->model, s->input, &s->images, &tones, err));
    BASE_TRY(
        model_images_open(t->model->g, s->input, &s->images, context, DATA_TRAIN, &t->set, err));
    model_note_tones(t->model, s->input, &s->images, &t->set, context);
    t->model->tones = tones;
    t->model->tones_told = true;
    t->order = base_array(t->set.count, sizeof *t->order);
    if (t->order == NULL)
        return base_fail_memory(err, s->images.path);
    return data_split(t->set.count, 0, s->seed, t->order, err);
}

static admmnn_status open_network(tuning *t, const admmnn_context *context, admmnn_error *err) {
    const graph *g = t->g;
    const engine_settings settings = {.max_batch = t->settings->batch, .training = true};
    const train_optimizer_settings adam = {.kind = TRAIN_ADAM};
    t->params = base_array(g->flat_count, sizeof *t->params);
    t->fixed = base_array(g->flat_count, 1);
    if (t->params == NULL || t->fixed == NULL)
        return base_fail_memory(err, t->settings->input);
    pack_model_values(t->model, t->params);
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const graph_parameter *parameter = &g->parameters[p];
        for (size_t i = 0; parameter->kind == GRAPH_WEIGHT && i < parameter->count; i++)
            t->fixed[parameter->offset + i] = t->params[parameter->offset + i] == 0.0F;
    }
    BASE_TRY(base_pool_create(context == NULL ? 0 : context->threads, &t->pool, err));
    BASE_TRY(train_network_create(g, t->params, t->pool, &settings, &t->network, err));
    return train_optimizer_create(&adam, t->network->active_count, &t->optimizer, err);
}

static admmnn_status train(tuning *t, const admmnn_context *context, admmnn_error *err) {
    const admmnn_finetune_settings *s = t->settings;
    const train_samples samples = {
        .set = &t->set, .order = t->order, .count = t->set.count, .tones = t->model->tones};
    const train_settings settings = {.task = "fine-tuning",
                                     .epochs = s->epochs,
                                     .batch = s->batch,
                                     .schedule = TRAIN_COSINE,
                                     .learning_rate = s->learning_rate,
                                     .seed = s->seed,
                                     .stream = STREAM};
    const train_hooks hooks = {.fixed = t->fixed, .run_to = 1.0};
    return train_run(t->network, t->optimizer, &samples, &settings, &hooks, context, err);
}

/* The model's tensors as the floats that training left. */
static admmnn_status keep_params(tuning *t, admmnn_error *err) {
    train_network_expand(t->network, t->network->params, t->params);
    for (uint32_t p = 0; p < t->model->g->parameter_count; p++) {
        const graph_parameter *parameter = &t->model->g->parameters[p];
        pack_tensor *tensor = &t->model->tensors[p];
        base_free(tensor->codes);
        base_free(tensor->values);
        *tensor = (pack_tensor){.form = PACK_FLOAT32};
        tensor->values = base_array_copy(t->params + parameter->offset, parameter->count,
                                         sizeof *tensor->values);
        if (tensor->values == NULL)
            return base_fail_memory(err, t->settings->output);
    }
    return ADMMNN_OK;
}

static onnx_target target_of(const tuning *t) {
    return (onnx_target){.path = t->settings->output, .force = t->settings->force != 0};
}

static admmnn_status write_tuned(const tuning *t, admmnn_error *err) {
    const onnx_target target = target_of(t);
    uint64_t data_bytes;
    return pack_to_onnx(t->model, PACK_WEIGHTS_FLOAT32, &target, &data_bytes, err);
}

static admmnn_status check_settings(const admmnn_finetune_settings *s, admmnn_error *err) {
    if (s->batch == 0)
        return base_fail(err, ADMMNN_USAGE, "a batch of 0 images");
    if (!(s->learning_rate > 0 && s->learning_rate <= RATE_MAX))
        return base_fail(err, ADMMNN_USAGE, "--learning-rate: %g; it must be above 0, at most %d",
                         s->learning_rate, RATE_MAX);
    return ADMMNN_OK;
}

/* Whatever keeps the output from being written is said before the training. */
static admmnn_status read_model(tuning *t, admmnn_error *err) {
    const admmnn_finetune_settings *s = t->settings;
    const onnx_target target = target_of(t);
    uint64_t file_bytes;
    bool described;
    BASE_TRY(model_check_output(s->input, s->output, s->force, err));
    BASE_TRY(base_file_probe_write(s->output, err));
    BASE_TRY(model_check_data(s->input, s->output, err));
    BASE_TRY(model_file_read(s->input, s->force != 0 ? s->output : NULL, &t->model, NULL,
                             &file_bytes, &described, err));
    return pack_check_onnx(t->model, &target, err);
}

static admmnn_status tune(tuning *t, const admmnn_context *context, admmnn_error *err) {
    BASE_TRY(check_settings(t->settings, err));
    BASE_TRY(read_model(t, err));
    graph_ending ending; /* the model keeps it */
    BASE_TRY(model_open_logits(t->model->g, t->settings->input, &t->g, &ending, err));
    BASE_TRY(open_data(t, context, err));
    BASE_TRY(open_network(t, context, err));
    BASE_TRY(train(t, context, err));
    BASE_TRY(keep_params(t, err));
    return write_tuned(t, err);
}

admmnn_status admmnn_model_finetune(const admmnn_finetune_settings *settings,
                                    const admmnn_context *context, admmnn_error *err) {
    tuning t = {.settings = settings};
    admmnn_status status = tune(&t, context, err);
    train_optimizer_free(t.optimizer);
    train_network_free(t.network);
    base_pool_destroy(t.pool);
    data_set_free(&t.set);
    base_free(t.order);
    base_free(t.fixed);
    base_free(t.params);
    graph_free(t.g);
    pack_model_free(t.model);
    return status;
}
