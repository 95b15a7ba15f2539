/* Resize. */
#include <math.h>

#include "onnx/attributes.h"
#include "onnx/nodes.h"

#define RESIZE_BY_COORDINATES 11

static admmnn_status resize_mode(const onnx_reader *r, const Onnx__NodeProto *node,
                                 graph_resize *resize, admmnn_error *err) {
    static const struct {
        const char *text;
        graph_resize_mode mode;
    } nearest[] = {{"round_prefer_floor", GRAPH_RESIZE_NEAREST_DOWN},
                   {"round_prefer_ceil", GRAPH_RESIZE_NEAREST_UP},
                   {"floor", GRAPH_RESIZE_NEAREST_FLOOR},
                   {"ceil", GRAPH_RESIZE_NEAREST_CEIL}};
    char text[ONNX_TEXT_MAX];
    const char *usual = r->opset < RESIZE_BY_COORDINATES ? "floor" : "round_prefer_floor";
    if (onnx_text_is(node, "mode", "nearest", "linear")) {
        resize->mode = GRAPH_RESIZE_LINEAR;
        return ADMMNN_OK;
    }
    for (size_t i = 0; onnx_text_is(node, "mode", "nearest", "nearest") && i < 4; i++)
        if (onnx_text_is(node, "nearest_mode", usual, nearest[i].text)) {
            resize->mode = nearest[i].mode;
            return ADMMNN_OK;
        }
    return base_fail(err, ADMMNN_UNSUPPORTED, "mode '%s'; nearest and linear are read",
                     onnx_text(node, "mode", text));
}

static admmnn_status resize_place(const onnx_reader *r, const Onnx__NodeProto *node,
                                  graph_resize *resize, admmnn_error *err) {
    static const struct {
        const char *text;
        graph_resize_place place;
    } places[] = {{"half_pixel", GRAPH_RESIZE_HALF_PIXEL},
                  {"pytorch_half_pixel", GRAPH_RESIZE_PYTORCH_HALF_PIXEL},
                  {"half_pixel_symmetric", GRAPH_RESIZE_HALF_PIXEL_SYMMETRIC},
                  {"align_corners", GRAPH_RESIZE_ALIGN_CORNERS},
                  {"asymmetric", GRAPH_RESIZE_ASYMMETRIC}};
    const char *name = "coordinate_transformation_mode";
    const char *usual = r->opset < RESIZE_BY_COORDINATES ? "asymmetric" : "half_pixel";
    char text[ONNX_TEXT_MAX];
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (onnx_text_is(node, name, usual, places[i].text)) {
            resize->place = places[i].place;
            return ADMMNN_OK;
        }
    return base_fail(err, ADMMNN_UNSUPPORTED, "%s '%s'", name, onnx_text(node, name, text));
}

/* numbers[count]: scales, or sizes where they are whole, of the axes, or of all of them. */
static admmnn_status take_sizes(const onnx_reader *r, const Onnx__NodeProto *node,
                                const onnx_array *numbers, graph_shape from, graph_resize *resize,
                                admmnn_error *err) {
    const Onnx__AttributeProto *axes = onnx_attribute(node, "axes");
    const size_t wanted = axes == NULL ? (size_t)from.rank + 1 : axes->n_ints;
    if (numbers->count != wanted)
        return base_fail(err, ADMMNN_CORRUPT, "%zu sizes for %zu axes", numbers->count, wanted);
    for (size_t i = 0; i < wanted; i++) {
        const int64_t axis = axes == NULL ? (int64_t)i : axes->ints[i];
        const bool whole = numbers->integers != NULL;
        const bool same = whole ? onnx_is_batch(r, numbers, i) : numbers->floats[i] == 1.0F;
        float number;
        uint32_t at;
        if ((axis == 0 || axis == -(int64_t)from.rank - 1) && same)
            continue;
        BASE_TRY(onnx_plain_number(numbers, i, &number, err));
        BASE_TRY(onnx_sample_axis(axis, from.rank + 1, &at, err));
        const float size = whole ? number : floorf((float)from.dims[at] * number);
        if (!(size >= 1.0F && size <= (float)GRAPH_DIMENSION_MAX))
            return base_fail(err, ADMMNN_UNSUPPORTED, "axis %u gets %g elements", at + 1,
                             (double)size);
        resize->size[at] = (uint32_t)size;
        resize->scale[at] = whole ? size / (float)from.dims[at] : number;
    }
    return ADMMNN_OK;
}

static admmnn_status check_plain_resize(const Onnx__NodeProto *node, admmnn_error *err) {
    char text[ONNX_TEXT_MAX];
    if (onnx_integer(node, "antialias", 0) != 0)
        return base_fail(err, ADMMNN_UNSUPPORTED, "antialias");
    if (!onnx_text_is(node, "keep_aspect_ratio_policy", "stretch", "stretch"))
        return base_fail(err, ADMMNN_UNSUPPORTED, "keep_aspect_ratio_policy '%s'",
                         onnx_text(node, "keep_aspect_ratio_policy", text));
    return ADMMNN_OK;
}

/* The input that tells the sizes: scales, alone at first and later behind the region of
 * interest, or sizes. */
static admmnn_status find_sizes(onnx_reader *r, const Onnx__NodeProto *node, const onnx_array **out,
                                admmnn_error *err) {
    const size_t scales = r->opset < RESIZE_BY_COORDINATES ? 1 : 2;
    *out = NULL;
    if (onnx_has_input(node, scales))
        BASE_TRY(onnx_find_constant(r, node, scales, out, err));
    if ((*out == NULL || (*out)->count == 0) && onnx_has_input(node, 3))
        BASE_TRY(onnx_find_constant(r, node, 3, out, err));
    if (*out == NULL)
        return base_fail(err, ADMMNN_CORRUPT, "neither scales nor sizes");
    return ADMMNN_OK;
}

admmnn_status onnx_convert_resize(onnx_reader *r, const Onnx__NodeProto *node, admmnn_error *err) {
    onnx_tensor *in;
    const onnx_array *numbers;
    uint32_t value;
    char name[GRAPH_NAME_MAX];
    graph_resize resize = {0};
    BASE_TRY(onnx_find_value(r, node, 0, &in, err));
    BASE_TRY(check_plain_resize(node, err));
    BASE_TRY(resize_mode(r, node, &resize, err));
    BASE_TRY(resize_place(r, node, &resize, err));
    BASE_TRY(find_sizes(r, node, &numbers, err));
    for (uint32_t i = 0; i < in->shape.rank; i++) {
        resize.size[i] = in->shape.dims[i];
        resize.scale[i] = 1.0F;
    }
    BASE_TRY(take_sizes(r, node, numbers, in->shape, &resize, err));
    BASE_TRY(onnx_whole(r, in, &value, err));
    onnx_name_node(r, node, name);
    BASE_TRY(onnx_held(graph_add_resize(r->g, name, value, &resize, &value, err)));
    return onnx_add_value(r, node, value, err);
}
