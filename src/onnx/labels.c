#include "onnx/labels.h"

#include <string.h>

#include "base/memory.h"

/* The text where it differs from what is written without it. */
static const char *keep(onnx_arena *arena, const char *text, const char *usual) {
    if (text == NULL || text[0] == 0 || (usual != NULL && strcmp(text, usual) == 0))
        return NULL;
    return onnx_arena_text(arena, "%s", text);
}

static void keep_nodes(const onnx_reader *r, onnx_labels *labels) {
    for (uint32_t n = 0; n < labels->node_count; n++)
        labels->nodes[n] = keep(labels->arena, r->origins[n], r->g->nodes[n].name);
}

/* Of the parameters of one tensor the first has its name. */
static void keep_parameters(const onnx_reader *r, onnx_labels *labels) {
    onnx_texts tensors = {0};
    for (uint32_t p = 0; p < labels->parameter_count; p++) {
        const char *name = r->sources[p].name;
        if (name != NULL && !onnx_texts_add(&tensors, name, p, labels->arena))
            return;
        labels->shared[p] = name == NULL ? p : onnx_texts_find(&tensors, name);
        labels->parameters[p] =
            labels->shared[p] == p ? keep(labels->arena, r->sources[p].name, NULL) : NULL;
    }
}

static void keep_properties(const Onnx__ModelProto *model, onnx_labels *labels) {
    const size_t count = model->n_metadata_props;
    labels->properties = onnx_arena_take(labels->arena, count, sizeof *labels->properties);
    labels->property_count = labels->properties == NULL ? 0 : count;
    for (size_t i = 0; i < labels->property_count; i++) {
        const Onnx__StringStringEntryProto *from = model->metadata_props[i];
        onnx_property *to = &labels->properties[i];
        to->key = onnx_arena_text(labels->arena, "%s", from->key == NULL ? "" : from->key);
        to->value = onnx_arena_text(labels->arena, "%s", from->value == NULL ? "" : from->value);
    }
}

admmnn_status onnx_labels_create(const onnx_reader *r, const Onnx__ModelProto *model,
                                 const char *input, const char *output, const char *batch,
                                 onnx_labels **out, admmnn_error *err) {
    onnx_labels *labels = base_array(1, sizeof *labels);
    onnx_arena *arena = base_array(1, sizeof *arena);
    if (labels == NULL || arena == NULL) {
        base_free(labels);
        base_free(arena);
        return base_fail_memory(err, "an ONNX model's names");
    }
    *arena = (onnx_arena){.limit = SIZE_MAX};
    *labels = (onnx_labels){
        .arena = arena, .node_count = r->g->node_count, .parameter_count = r->g->parameter_count};
    labels->nodes = onnx_arena_take(arena, labels->node_count, sizeof *labels->nodes);
    labels->parameters =
        onnx_arena_take(arena, labels->parameter_count, sizeof *labels->parameters);
    labels->shared = onnx_arena_take(arena, labels->parameter_count, sizeof *labels->shared);
    if (!arena->failed) {
        labels->input = keep(arena, input, NULL);
        labels->output = keep(arena, output, NULL);
        labels->batch = keep(arena, batch, NULL);
        labels->graph = keep(arena, r->from->name, r->g->name);
        labels->documentation = keep(arena, r->from->doc_string, NULL);
        keep_nodes(r, labels);
        keep_parameters(r, labels);
        keep_properties(model, labels);
    }
    if (arena->failed) {
        onnx_labels_free(labels);
        return base_fail_memory(err, "an ONNX model's names");
    }
    *out = labels;
    return ADMMNN_OK;
}

void onnx_labels_free(onnx_labels *labels) {
    if (labels == NULL)
        return;
    onnx_arena_free(labels->arena);
    base_free(labels->arena);
    base_free(labels);
}
