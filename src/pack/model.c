#include "pack/pack.h"

#include <string.h>

#include "base/memory.h"

admmnn_status pack_model_create(const graph *g, pack_model **out, admmnn_error *err) {
    pack_model *model = base_array(1, sizeof *model);
    if (model == NULL)
        return base_fail_memory(err, "a packed model");
    admmnn_status status = graph_clone(g, &model->g, err);
    model->tensors = base_array(g->parameter_count, sizeof *model->tensors);
    model->scale = 1.0F;
    if (status == ADMMNN_OK && model->tensors == NULL)
        status = base_fail_memory(err, "a packed model");
    if (status != ADMMNN_OK) {
        pack_model_free(model);
        return status;
    }
    *out = model;
    return ADMMNN_OK;
}

void pack_model_free(pack_model *model) {
    if (model == NULL)
        return;
    for (uint32_t p = 0; model->tensors != NULL && model->g != NULL && p < model->g->parameter_count;
         p++) {
        base_free(model->tensors[p].codes);
        base_free(model->tensors[p].values);
    }
    base_free(model->tensors);
    graph_free(model->g);
    base_free(model);
}

void pack_model_values(const pack_model *model, float *params) {
    memset(params, 0, model->g->flat_count * sizeof *params);
    for (uint32_t p = 0; p < model->g->parameter_count; p++) {
        const graph_parameter *parameter = &model->g->parameters[p];
        const pack_tensor *tensor = &model->tensors[p];
        float *to = params + parameter->offset;
        for (size_t i = 0; i < parameter->count; i++) {
            if (tensor->form == PACK_FLOAT32)
                to[i] = tensor->values[i];
            else if (tensor->codes[i] != 0)
                to[i] = admm_level_value(tensor->levels, tensor->step, tensor->codes[i]);
        }
    }
}

void pack_report_free(pack_report *report) {
    base_free(report->tensors);
    memset(report, 0, sizeof *report);
}
