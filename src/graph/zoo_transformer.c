/* A Transformer's encoder (Vaswani et al. 2017) over patches of an image (Dosovitskiy et al.
 * 2021), normalized before each part. */
#include "graph/zoo_build.h"

#include <math.h>

enum { PATCH = 4, BLOCKS = 6, HEADS = 4, WIDTH = 128, HIDDEN = 4 * WIDTH, HEAD = WIDTH / HEADS };

/* Of every row of [tokens][inputs]: "NAME", of weights "NAME.weight" and biases "NAME.bias". */
static admmnn_status add_linear(graph *g, const char *name, uint32_t outputs, uint32_t *v,
                                admmnn_error *err) {
    const graph_shape shape = g->values[*v].shape;
    char own[GRAPH_NAME_MAX];
    uint32_t weight;
    uint32_t bias;
    zoo_name(own, "%s.weight", name);
    BASE_TRY(graph_add_parameter(g, own, GRAPH_WEIGHT,
                                 (graph_shape){2, {shape.dims[shape.rank - 1], outputs}}, &weight,
                                 err));
    BASE_TRY(graph_add_matmul(g, name, *v, weight, v, err));
    zoo_name(own, "%s.bias", name);
    BASE_TRY(graph_add_parameter(g, own, GRAPH_BIAS, graph_shape_vector(outputs), &bias, err));
    zoo_name(own, "%s.add", name);
    return graph_add_binary(g, own, GRAPH_ADD, *v, bias, v, err);
}

/* [tokens][WIDTH] as [HEADS], each [tokens][HEAD] or turned. */
static admmnn_status add_heads(graph *g, const char *name, bool turned, uint32_t *v,
                               admmnn_error *err) {
    static const uint32_t upright[GRAPH_RANK_MAX] = {1, 0, 2};
    static const uint32_t lying[GRAPH_RANK_MAX] = {1, 2, 0};
    const uint32_t tokens = g->values[*v].shape.dims[0];
    char own[GRAPH_NAME_MAX];
    BASE_TRY(add_linear(g, name, WIDTH, v, err));
    zoo_name(own, "%s.heads", name);
    BASE_TRY(graph_add_reshape(g, own, *v, (graph_shape){3, {tokens, HEADS, HEAD}}, v, err));
    zoo_name(own, "%s.turn", name);
    return graph_add_transpose(g, own, *v, turned ? lying : upright, v, err);
}

/* softmax(q k^T / sqrt(HEAD)) v, each head apart. */
static admmnn_status add_heads_product(graph *g, const char *block, const uint32_t qkv[3],
                                       uint32_t *v, admmnn_error *err) {
    const float scale = 1.0F / sqrtf((float)HEAD);
    char name[GRAPH_NAME_MAX];
    uint32_t factor;
    BASE_TRY(graph_add_constant(g, (graph_shape){0, {0}}, &scale, &factor, err));
    zoo_name(name, "%s.scores", block);
    BASE_TRY(graph_add_matmul(g, name, qkv[0], qkv[1], v, err));
    zoo_name(name, "%s.scale", block);
    BASE_TRY(graph_add_binary(g, name, GRAPH_MUL, *v, factor, v, err));
    zoo_name(name, "%s.softmax", block);
    BASE_TRY(graph_add_softmax(g, name, *v, 2, v, err));
    zoo_name(name, "%s.mix", block);
    return graph_add_matmul(g, name, *v, qkv[2], v, err);
}

static admmnn_status add_attention(graph *g, const char *block, uint32_t *v, admmnn_error *err) {
    static const char *const parts[3] = {"query", "key", "value"};
    static const uint32_t back[GRAPH_RANK_MAX] = {1, 0, 2};
    const graph_shape shape = g->values[*v].shape;
    char name[GRAPH_NAME_MAX];
    uint32_t qkv[3] = {*v, *v, *v};
    for (unsigned i = 0; i < 3; i++) {
        zoo_name(name, "%s.%s", block, parts[i]);
        BASE_TRY(add_heads(g, name, i == 1, &qkv[i], err));
    }
    BASE_TRY(add_heads_product(g, block, qkv, v, err));
    zoo_name(name, "%s.turn", block);
    BASE_TRY(graph_add_transpose(g, name, *v, back, v, err));
    zoo_name(name, "%s.join", block);
    BASE_TRY(graph_add_reshape(g, name, *v, shape, v, err));
    zoo_name(name, "%s.output", block);
    return add_linear(g, name, WIDTH, v, err);
}

static admmnn_status add_perceptron(graph *g, const char *block, uint32_t *v, admmnn_error *err) {
    char name[GRAPH_NAME_MAX];
    zoo_name(name, "%s.hidden", block);
    BASE_TRY(add_linear(g, name, HIDDEN, v, err));
    zoo_name(name, "%s.gelu", block);
    BASE_TRY(graph_add_unary(g, name, *v, (graph_unary){.kind = GRAPH_GELU}, v, err));
    zoo_name(name, "%s.narrow", block);
    return add_linear(g, name, WIDTH, v, err);
}

/* Normalization number i of the block, the part, and the sum with what came. */
static admmnn_status add_part(graph *g, const char *block, unsigned i, uint32_t *v,
                              admmnn_error *err) {
    const uint32_t before = *v;
    char name[GRAPH_NAME_MAX];
    zoo_name(name, "%s.norm%u", block, i);
    BASE_TRY(graph_add_layer_normalization(g, name, *v, 1, GRAPH_EPSILON, v, err));
    BASE_TRY(i == 1 ? add_attention(g, block, v, err) : add_perceptron(g, block, v, err));
    zoo_name(name, "%s.sum%u", block, i);
    return graph_add_binary(g, name, GRAPH_ADD, *v, before, v, err);
}

/* [tokens][WIDTH] of the image, each token with its place. */
static admmnn_status add_patches(graph *g, uint32_t *v, admmnn_error *err) {
    static const uint32_t turn[GRAPH_RANK_MAX] = {1, 0};
    uint32_t place;
    BASE_TRY(zoo_add_conv(g, "patches", WIDTH, graph_window_of(PATCH, PATCH, 0), v, err));
    const graph_shape shape = g->values[*v].shape;
    const uint32_t tokens = (uint32_t)graph_shape_extent(shape, 1, 3);
    BASE_TRY(graph_add_reshape(g, "flat", *v, (graph_shape){2, {WIDTH, tokens}}, v, err));
    BASE_TRY(graph_add_transpose(g, "tokens", *v, turn, v, err));
    BASE_TRY(graph_add_parameter(g, "place", GRAPH_TENSOR, (graph_shape){2, {tokens, WIDTH}},
                                 &place, err));
    return graph_add_binary(g, "placed", GRAPH_ADD, *v, place, v, err);
}

admmnn_status zoo_build_transformer(graph *g, uint32_t classes, uint32_t width, admmnn_error *err) {
    (void)width;
    uint32_t v = g->input;
    char name[GRAPH_NAME_MAX];
    BASE_TRY(add_patches(g, &v, err));
    for (unsigned b = 1; b <= BLOCKS; b++) {
        zoo_name(name, "block%u", b);
        BASE_TRY(add_part(g, name, 1, &v, err));
        BASE_TRY(add_part(g, name, 2, &v, err));
    }
    BASE_TRY(graph_add_layer_normalization(g, "norm", v, 1, GRAPH_EPSILON, &v, err));
    BASE_TRY(graph_add_reduce(g, "mean", v, (graph_reduce){GRAPH_REDUCE_MEAN, 1, false}, &v, err));
    return graph_add_inner_product(g, "fc", v, classes, true, &v, err);
}
