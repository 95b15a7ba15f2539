/* Runs that begin from a model file. */
#include <math.h>

#include "graph/zoo.h"
#include "onnx/onnx.h"
#include "pack/convert.h"
#include "pack/model_file.h"
#include "runs.h"

#define OUTPUTS 13 /* more than the ten classes of the set */
#define LONG "/stage/block/of/a/networtwork/whose/names/are/long/conv"

/* A residual network with normalization that ends in the logarithm of a softmax. */
static graph *make_network(void) {
    graph *g;
    uint32_t v;
    uint32_t w;
    const graph_conv conv = graph_conv_of(graph_window_of(3, 1, 1));
    MUST(graph_create("mine", graph_shape_image(1, SIDE, SIDE), &g, err));
    MUST(graph_add_conv(g, "conv", g->input, 4, conv, &v, err));
    MUST(graph_add_batch_normalization(g, "bn", v, 1e-3F, 0.9F, &v, err));
    MUST(graph_add_relu(g, "relu", v, &v, err));
    MUST(graph_add_conv(g, "conv2", v, 4, conv, &w, err));
    MUST(graph_add_binary(g, "sum", GRAPH_ADD, v, w, &v, err));
    MUST(graph_add_inner_product(g, "fc", v, OUTPUTS, true, &v, err));
    MUST(graph_add_log_softmax(g, "p", v, 0, &v, err));
    return g;
}

static void write_model(const graph *g, const float *params, const onnx_labels *labels,
                        const char *name, const onnx_property *property) {
    uint64_t data_bytes;
    char path[BASE_PATH_MAX];
    const onnx_target target = {.path = path};
    const onnx_writing writing = {.g = g,
                                  .params = params,
                                  .labels = labels,
                                  .properties = property,
                                  .property_count = property == NULL ? 0 : 1};
    MUST(base_path_join(path, sizeof path, root, name, err));
    MUST(onnx_write(&writing, &target, &data_bytes, err));
}

/* mine.onnx, whose first layer has a long name; the network's parameters, the caller's. */
static float *write_mine(const onnx_property *property) {
    graph *g = make_network();
    const char *nodes[8] = {LONG};
    const char *parameters[16] = {"w"};
    const onnx_labels labels = {.nodes = nodes,
                                .parameters = parameters,
                                .node_count = g->node_count,
                                .parameter_count = g->parameter_count};
    float *params = base_array(g->flat_count, sizeof *params);
    assert_non_null(params);
    graph_initialise(g, 3, params);
    write_model(g, params, &labels, "mine.onnx", property);
    graph_free(g);
    return params;
}

/* Of mine.onnx beside the set. */
static recipe *mine(const char *more) {
    recipe *r;
    base_writer text = {0};
    char path[BASE_PATH_MAX];
    MUST(base_path_join(path, sizeof path, root, "r.yaml", err));
    base_write_text(&text, "model: mine.onnx\ndataset: {format: idx, path: ., validation: 30}\n%s",
                    more);
    MUST(recipe_parse(path, text.bytes, text.count, &r, err));
    base_writer_free(&text);
    return r;
}

#define PRUNE_ONCE                                                                                 \
    "prune: {method: one-shot, rounds: [2], admm: {iterations: 0}, finish: {epochs: 1, batch: "    \
    "16}}\n"

static void the_file_is_the_dense_network(void **state) {
    (void)state;
    float *params = write_mine(NULL);
    recipe *r = mine(PRUNE_ONCE NO_QUANTIZE);
    assert_int_equal(r->training.epochs, 0);
    compress_run *run = start(r);
    tick(run);
    assert_int_not_equal(run->at.stage, RUN_DENSE);
    assert_int_equal(run->ending.op, GRAPH_LOG_SOFTMAX);
    assert_int_equal(graph_value_count(run->g, run->g->output), OUTPUTS);
    assert_memory_equal(run->dense, params, run->g->flat_count * sizeof *params);
    assert_true(run->scores.dense >= 0);
    run_free(run);
    base_free(r);
    base_free(params);
}

static void training_goes_on_from_its_weights(void **state) {
    (void)state;
    float *params = write_mine(NULL);
    recipe *r = mine(
        "training: {epochs: 1, batch: 16, optimizer: sgd, learning_rate: 0.000001}\n"
        "prune: {method: none}\n" NO_QUANTIZE);
    compress_run *run = start(r);
    assert_string_equal(run_stage_text(run), "fine-tuning");
    tick_to(run, RUN_DONE);
    const graph_parameter *weight = run_weight(run, 0);
    bool moved = false;
    for (size_t i = weight->offset; i < weight->offset + weight->count; i++) {
        assert_true(fabsf(run->dense[i] - params[i]) < 1e-3F); /* another start is far away */
        moved = moved || run->dense[i] != params[i];
    }
    assert_true(moved);
    run_free(run);
    base_free(r);
    base_free(params);
}

/* Outputs without a class, the teacher's answers to them, and levels of layers by both of
 * their names. */
static void layers_go_by_either_name(void **state) {
    (void)state;
    base_free(write_mine(NULL));
    recipe *r = mine(
        "prune:\n  method: one-shot\n  rounds: [2]\n  scope: per-layer\n"
        "  keep: [{layer: " LONG
        ", keep: 0.25}, {layer: fc, keep: 0.125}]\n"
        "  admm: {iterations: 0}\n"
        "  finish: {epochs: 1, batch: 16, distill: 0.5}\n"
        "quantize:\n  bits: [{layer: " LONG
        ", bits: 5}]\n  admm: {iterations: 0}\n"
        "  fix: [1]\n  retrain: {epochs: 1, batch: 16}\n");
    compress_run *run = start(r);
    tick_to(run, RUN_DONE);
    assert_string_equal(run->g->nodes[run->layers[0].node].name, "twork/whose/names/are/long/conv");
    assert_int_equal(run->layers[0].target, 9);
    assert_int_equal(run->layers[0].bits, 5);
    assert_int_equal(run->layers[1].bits, 4);
    assert_int_equal(run->layers[2].target, 4 * SIDE * SIDE * OUTPUTS / 8);
    run_free(run);
    base_free(r);
}

static void expect_refused(const char *more, admmnn_status status, const char *message) {
    recipe *r = mine(more);
    compress_run *run = NULL;
    admmnn_error err = {0};
    assert_int_equal(run_create(r, &context, &run, &err), status);
    if (strstr(err.message, message) == NULL)
        fail_msg("'%s' is not in '%s'", message, err.message);
    base_free(r);
}

static void names_that_are_none_are_refused(void **state) {
    (void)state;
    base_free(write_mine(NULL));
    expect_refused("prune: {rounds: [2], scope: per-layer, keep: [{layer: conv, keep: 0.5}]}\n",
                   ADMMNN_INPUT, "prune.keep: mine.onnx has no layer 'conv'; there are ");
    expect_refused("prune: {rounds: [2], scope: per-layer, keep: [{layer: " LONG
                   ", keep: 0.5},\n"
                   "  {layer: 'twork/whose/names/are/long/conv', keep: 0.5}]}\n",
                   ADMMNN_INPUT, "is the layer of line 3, too");
    expect_refused(
        "prune: {method: none}\n"
        "quantize: {bits: [{layer: " LONG
        ", bits: 3},\n"
        "  {layer: 'twork/whose/names/are/long/conv', bits: 3}]}\n",
        ADMMNN_INPUT, "is the layer of line 4, too");
}

static void tones_are_the_files_unless_given(void **state) {
    (void)state;
    char text[PACK_TONES_TEXT];
    const data_tones tones = data_tones_of(0.25F, 2.0F);
    const onnx_property property = pack_tones_property(&tones, text);
    base_free(write_mine(&property));
    recipe *r = mine("prune: {method: none}\n" NO_QUANTIZE);
    compress_run *run = start(r);
    assert_true(data_tones_same(&run->tones, &tones));
    run_free(run);
    r->mean_count = r->deviation_count = 1;
    r->mean[0] = 0.5;
    r->deviation[0] = 0.5;
    run = start(r);
    assert_true(run->tones.mean[0] == 0.5F && run->tones.scale[0] == 2.0F);
    run_free(run);
    base_free(r);
}

static void another_network_is_not_gone_on_with(void **state) {
    (void)state;
    base_free(write_mine(NULL));
    recipe *r = mine(PRUNE_ONCE NO_QUANTIZE);
    compress_run *run = start(r);
    base_writer snapshot = {0};
    tick(run);
    take(run, &snapshot);
    run_free(run);
    run_free(restored(r, &snapshot));
    char digest[65];
    MUST(run_digest_model(r, digest, err));
    char text[PACK_TONES_TEXT];
    const data_tones tones = data_tones_of(0.25F, 2.0F);
    const onnx_property property = pack_tones_property(&tones, text);
    base_free(write_mine(&property)); /* the same weights on other pixels */
    run = start(r);
    admmnn_error err = {0};
    assert_string_not_equal(run->model_sha256, digest);
    assert_int_equal(restore(run, &snapshot, &err), ADMMNN_INPUT);
    assert_non_null(strstr(err.message, "c.ckpt: made from another network than that of "));
    run_free(run);
    base_writer_free(&snapshot);
    base_free(r);
}

/* Many exporters' networks of inner products read rows, not images. */
static void pixels_in_a_row_are_images(void **state) {
    (void)state;
    graph *g;
    uint32_t v;
    MUST(graph_create("row", graph_shape_vector(SIDE * SIDE), &g, err));
    MUST(graph_add_inner_product(g, "fc", g->input, 10, true, &v, err));
    float *params = base_array(g->flat_count, sizeof *params);
    assert_non_null(params);
    graph_initialise(g, 3, params);
    write_model(g, params, NULL, "mine.onnx", NULL);
    graph_free(g);
    recipe *r = mine(PRUNE_ONCE NO_QUANTIZE);
    compress_run *run = start(r);
    tick_to(run, RUN_DONE);
    assert_memory_equal(run->dense, params, run->g->flat_count * sizeof *params);
    assert_true(run->scores.pruned >= 0);
    run_free(run);
    base_free(r);
    base_free(params);
}

static void other_images_are_refused(void **state) {
    (void)state;
    graph *g;
    uint32_t v;
    MUST(graph_create("few", graph_shape_image(1, SIDE, SIDE), &g, err));
    MUST(graph_add_inner_product(g, "fc", g->input, 9, true, &v, err));
    float *params = base_array(g->flat_count, sizeof *params);
    assert_non_null(params);
    write_model(g, params, NULL, "mine.onnx", NULL);
    graph_free(g);
    expect_refused("prune: {method: none}\n", ADMMNN_INPUT, "images of 1x16x16 in 10 classes; ");
    expect_refused("prune: {method: none}\n", ADMMNN_INPUT, "wants 1x16x16 and tells 9 apart");
    base_free(params);
    MUST(graph_create("wide", graph_shape_image(1, SIDE, SIDE + 1), &g, err));
    MUST(graph_add_inner_product(g, "fc", g->input, 10, true, &v, err));
    params = base_array(g->flat_count, sizeof *params);
    assert_non_null(params);
    write_model(g, params, NULL, "mine.onnx", NULL);
    graph_free(g);
    base_free(params);
    expect_refused("prune: {method: none}\n", ADMMNN_INPUT, "wants 1x16x17 and tells 10 apart");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_is_the_dense_network),
        cmocka_unit_test(training_goes_on_from_its_weights),
        cmocka_unit_test(layers_go_by_either_name),
        cmocka_unit_test(names_that_are_none_are_refused),
        cmocka_unit_test(tones_are_the_files_unless_given),
        cmocka_unit_test(another_network_is_not_gone_on_with),
        cmocka_unit_test(pixels_in_a_row_are_images),
        cmocka_unit_test(other_images_are_refused),
    };
    return cmocka_run_group_tests(tests, make_set, remove_set);
}
