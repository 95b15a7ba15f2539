#include "pack/pack.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/words.h"
#include "pack/format.h"

admmnn_status pack_model_create(const graph *g, pack_model **out, admmnn_error *err) {
    pack_model *model = base_array(1, sizeof *model);
    if (model == NULL)
        return base_fail_memory(err, "a packed model");
    admmnn_status status = graph_clone(g, &model->g, err);
    model->tensors = base_array(g->parameter_count, sizeof *model->tensors);
    model->tones = data_tones_of(0.0F, 1.0F);
    model->tones_told = true;
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
    for (uint32_t p = 0;
         model->tensors != NULL && model->g != NULL && p < model->g->parameter_count; p++) {
        base_free(model->tensors[p].codes);
        base_free(model->tensors[p].values);
    }
    base_free(model->tensors);
    base_free(model->ranges);
    onnx_labels_free(model->labels);
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

static const char *const position_names[] = {
#define NAME_OF(name, text) text,
    PACK_POSITION_MAP(NAME_OF)};
static const char *const coder_names[] = {PACK_CODER_MAP(NAME_OF)
#undef NAME_OF
};

const char *pack_position_name(pack_position_id id) {
    return position_names[id];
}

const char *pack_coder_name(pack_coder_id id) {
    return coder_names[id];
}

admmnn_status pack_settings_find(const char *positions, const char *values, pack_settings *out,
                                 admmnn_error *err) {
    unsigned position;
    unsigned coder;
    BASE_TRY(base_words_find("--positions", position_names,
                             sizeof position_names / sizeof *position_names, positions, &position,
                             err));
    BASE_TRY(base_words_find("--values", coder_names, sizeof coder_names / sizeof *coder_names,
                             values, &coder, err));
    *out = (pack_settings){.positions = (pack_position_id)position, .values = (pack_coder_id)coder};
    return ADMMNN_OK;
}

bool pack_levels_are_sound(admm_levels kind, unsigned bits, float step) {
    /* 2^31 intervals are the most a code can stand for. */
    if (kind > ADMM_LEVELS_LAST || (kind == ADMM_LEVELS_SIGN && step != 1.0F) ||
        bits < admm_levels_least_bits(kind) || bits > admm_levels_most_bits(kind) ||
        bits > PACK_BITS_MAX)
        return false;
    float largest = admm_level_value(kind, step, (int32_t)admm_level_count(kind, bits));
    return step == 0.0F || (step >= FLT_MIN && isfinite(largest));
}
