#include "runtime.h"

#include <string.h>

#include "crew.h"
#include "kernels.h"
#include "operations.h"

/* A workspace is aligned to this many bytes within what the caller gives. */
#define WORKSPACE_ALIGNMENT 64U

admmnn_runtime_status rt_fail(admmnn_runtime_error *err, admmnn_runtime_status status,
                              const char *reason, size_t at) {
    if (err != NULL) {
        err->status = status;
        err->reason = reason;
        err->at = at;
    }
    return status;
}

const char *admmnn_runtime_status_text(admmnn_runtime_status status) {
    static const char *const texts[] = {
        [ADMMNN_RUNTIME_OK] = "success",
        [ADMMNN_RUNTIME_USAGE] = "wrong usage",
        [ADMMNN_RUNTIME_NOT_FOUND] = "no such file",
        [ADMMNN_RUNTIME_IO] = "input/output error",
        [ADMMNN_RUNTIME_CORRUPT] = "corrupted file",
        [ADMMNN_RUNTIME_UNSUPPORTED] = "not supported",
        [ADMMNN_RUNTIME_MEMORY] = "out of memory",
        [ADMMNN_RUNTIME_ARENA] = "the arena is smaller than what admmnn_runtime_measure tells",
    };
    const size_t number = (size_t)status;
    return number < sizeof texts / sizeof texts[0] ? texts[number] : "unknown status";
}

static rt_file file_of(const void *bytes, size_t count) {
    const rt_view all = {bytes, 0, count, NULL, NULL};
    const rt_file file = {all, all, count};
    return file;
}

admmnn_runtime_status admmnn_runtime_open_memory(const void *bytes, size_t count,
                                                 const admmnn_runtime_settings *settings,
                                                 admmnn_runtime **model,
                                                 admmnn_runtime_error *err) {
    rt_memory memory;
    if (bytes == NULL || model == NULL)
        return rt_fail(err, ADMMNN_RUNTIME_USAGE, "no bytes, or no place for the model", 0);
    rt_memory_open(&memory, settings == NULL ? NULL : settings->arena,
                   settings == NULL ? 0 : settings->arena_bytes);
    rt_file file = file_of(bytes, count);
    return rt_model_open(&file, &memory, settings, model, err);
}

void admmnn_runtime_close(admmnn_runtime *model) {
    if (model == NULL)
        return;
    rt_crew_close(model->network.crew);
    rt_memory memory = model->memory; /* the model lies in it */
    rt_memory_close(&memory);
}

admmnn_runtime_status admmnn_runtime_measure(const void *bytes, size_t count,
                                             const admmnn_runtime_settings *settings,
                                             size_t *arena_bytes, admmnn_runtime_error *err) {
    rt_memory memory;
    admmnn_runtime *model;
    if (bytes == NULL || arena_bytes == NULL)
        return rt_fail(err, ADMMNN_RUNTIME_USAGE, "no bytes, or no place for their number", 0);
    rt_memory_open(&memory, NULL, 0);
    rt_file file = file_of(bytes, count);
    RT_TRY(rt_model_read(&file, &memory, settings, &model, err));
    *arena_bytes = model->memory.peak + RT_ALIGNMENT; /* at any alignment */
    admmnn_runtime_close(model);
    return ADMMNN_RUNTIME_OK;
}

/* ---- questions ---- */

static void count_weights(const rt_network *network, admmnn_runtime_info *info) {
    for (const rt_tensor *t = network->tensors; t != NULL; t = t->next) {
        if (t->kind != PACK_PARAMETER_WEIGHT)
            continue;
        info->weights += (uint64_t)t->rows * t->columns;
        info->kept += t->kept;
    }
}

void admmnn_runtime_get_info(const admmnn_runtime *model, admmnn_runtime_info *info) {
    const rt_network *network = &model->network;
    const rt_shape *input = &network->values[0].shape;
    const rt_shape *output = &network->values[network->output].shape;
    memset(info, 0, sizeof *info);
    memcpy(info->name, network->name, sizeof info->name);
    info->input_rank = input->rank;
    info->output_rank = output->rank;
    memcpy(info->input, input->dims, sizeof info->input);
    memcpy(info->output, output->dims, sizeof info->output);
    info->inputs = rt_shape_count(input);
    info->outputs = rt_shape_count(output);
    memcpy(info->mean, network->mean, sizeof info->mean);
    memcpy(info->scale, network->scale, sizeof info->scale);
    count_weights(network, info);
    info->model_bytes = model->memory.lost + model->memory.low;
    info->workspace_bytes = network->workspace * sizeof(float) + WORKSPACE_ALIGNMENT;
    info->kernels = network->kernels->name;
    info->threads = network->threads;
    info->values = network->kept;
    info->codes = network->codes;
}

/* ---- running ---- */

static float *aligned(void *workspace) {
    const size_t lost = (size_t)(-(uintptr_t)workspace % WORKSPACE_ALIGNMENT);
    return (float *)(void *)((char *)workspace + lost);
}

static void run_sample(const rt_network *network, float *workspace, const float *input,
                       float *output) {
    const rt_value *made = &network->values[network->output];
    rt_call call = {network, NULL, NULL, workspace, input, output};
    for (uint32_t v = 1; v <= network->output; v++) {
        call.value = &network->values[v];
        call.node = call.value->node;
        if (call.node != NULL && call.node->needed && !call.node->folded)
            rt_operation_run(&call);
    }
    if (made->home == RT_IN_INPUT) /* a network that changes no number */
        memcpy(output, input, rt_shape_count(&made->shape) * sizeof *output);
}

admmnn_runtime_status admmnn_runtime_run(const admmnn_runtime *model, void *workspace,
                                         const float *input, size_t count, float *output) {
    if (model == NULL || workspace == NULL || input == NULL || output == NULL)
        return ADMMNN_RUNTIME_USAGE;
    const rt_network *network = &model->network;
    const size_t inputs = rt_shape_count(&network->values[0].shape);
    const size_t outputs = rt_shape_count(&network->values[network->output].shape);
    for (size_t i = 0; i < count; i++)
        run_sample(network, aligned(workspace), input + i * inputs, output + i * outputs);
    return ADMMNN_RUNTIME_OK;
}
