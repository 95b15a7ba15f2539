/* The recipe's refusals: every mistake has its line and key, and hostile text does no harm. */
#include "recipes.h"

#include "graph/zoo.h"

typedef struct mistake {
    const char *text;
    const char *message;
} mistake;

static void expect_mistake(const char *text, size_t count, const char *message) {
    recipe *r = NULL;
    admmnn_error err = {0};
    assert_int_equal(recipe_parse("r.yaml", (const uint8_t *)text, count, &r, &err), ADMMNN_INPUT);
    assert_null(r);
    assert_string_equal(err.message, message);
}

static void expect_mistakes(const mistake *mistakes, size_t count) {
    for (size_t i = 0; i < count; i++)
        expect_mistake(mistakes[i].text, strlen(mistakes[i].text), mistakes[i].message);
}

#define EXPECT_MISTAKES(list) expect_mistakes(list, sizeof(list) / sizeof(list)[0])

static void unknown_and_missing_keys(void **state) {
    (void)state;
    static const mistake list[] = {
        {MINIMAL "sed: 3\n",
         "r.yaml:3: sed: unknown key, 'seed' perhaps; there are model, "
         "dataset, seed, backend, training, prune, quantize, pack"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  admm:\n    rho:\n      frist: 1\n",
         "r.yaml:6: prune.admm.rho.frist: unknown key, 'first' perhaps; there are schedule, first, "
         "last, ratio, factor"},
        {MINIMAL "pack: {colour: red}\n",
         "r.yaml:3: pack.colour: unknown key; there are positions, values"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  keep:\n  - {layer: fc1, share: 1}\n",
         "r.yaml:5: prune.keep[0].keep: missing; it must be a number above 0, at most 1"},
        {"seed: 1\nprune: {rounds: [2]}\n",
         "r.yaml:1: model: missing; it must be a text of 1 to 1023 bytes"},
        {"model: lenet-5\nprune: {set: sparse}\n",
         "r.yaml:1: prune.rounds: missing; it must be the ratios to reach, for instance [19, 48, "
         "86] (or give method: none)"},
        {MINIMAL "prune.method: admm\n",
         "r.yaml:3: prune?method: unknown key; there are model, dataset, seed, backend, training, "
         "prune, quantize, pack"},
        {MINIMAL "seed: 1\nseed: 2\n", "r.yaml:4: seed: given a second time"},
    };
    EXPECT_MISTAKES(list);
}

static void wrong_types(void **state) {
    (void)state;
    static const mistake list[] = {
        {MINIMAL "seed: many\n",
         "r.yaml:3: seed: 'many' is not a number; it must be a whole number "
         "from 0 to 9007199254740991"},
        {MINIMAL "seed: \"5\"\n",
         "r.yaml:3: seed: '5' is in quotes, a text; it must be a whole "
         "number from 0 to 9007199254740991"},
        {MINIMAL "training:\n  batch: 1.5\n",
         "r.yaml:4: training.batch: '1.5' is not a whole number; it must be a whole number from 1 "
         "to 4096"},
        {MINIMAL "training:\n  batch: 010\n",
         "r.yaml:4: training.batch: '010' is not a whole number; it must be a whole number from 1 "
         "to 4096"},
        {MINIMAL "training:\n  batch: 5x\n",
         "r.yaml:4: training.batch: '5x' is not a number; it must be a whole number from 1 to "
         "4096"},
        {MINIMAL "training: {batch: }\n",
         "r.yaml:3: training.batch: '' is not a number; it must be a whole number from 1 to 4096"},
        {MINIMAL "training:\n  momentum: nan\n",
         "r.yaml:4: training.momentum: 'nan' is not a number; it must be a number from 0 to "
         "0.9999"},
        {MINIMAL "training: [1]\n",
         "r.yaml:3: training: a list is the wrong type; it must be a map of keys"},
        {MINIMAL "training:\n",
         "r.yaml:3: training: '' is the wrong type; it must be a map of keys"},
        {MINIMAL "seed: {a: 1}\n",
         "r.yaml:3: seed: a map is the wrong type; it must be a whole "
         "number from 0 to 9007199254740991"},
        {"model: lenet-5\nprune:\n  rounds: 5\n",
         "r.yaml:3: prune.rounds: '5' is the wrong type; it must be a list of 1 to 32 entries, "
         "each "
         "a number above 1, at most 1000000"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  keep: [fc1]\n",
         "r.yaml:4: prune.keep[0]: 'fc1' is the wrong type; it must be a map of keys"},
        {MINIMAL "quantize:\n  enabled: perhaps\n",
         "r.yaml:4: quantize.enabled: 'perhaps' is unknown; it must be one of false, true"},
        {"model: ''\n", "r.yaml:1: model: '' is empty; it must be a text of 1 to 1023 bytes"},
    };
    EXPECT_MISTAKES(list);
}

static void impossible_values(void **state) {
    (void)state;
    static const mistake list[] = {
        {MINIMAL "training: {batch: 0}\n",
         "r.yaml:3: training.batch: '0' is out of range; it must be a whole number from 1 to 4096"},
        {MINIMAL "seed: 9007199254740992\n",
         "r.yaml:3: seed: '9007199254740992' is out of range; "
         "it must be a whole number from 0 to 9007199254740991"},
        {MINIMAL "seed: -1\n",
         "r.yaml:3: seed: '-1' is not a whole number; it must be a whole "
         "number from 0 to 9007199254740991"},
        {MINIMAL "training: {learning_rate: 0}\n",
         "r.yaml:3: training.learning_rate: '0' is out of range; it must be a number above 0, at "
         "most 100"},
        {MINIMAL "training: {learning_rate: 1e999}\n",
         "r.yaml:3: training.learning_rate: '1e999' is out of range; it must be a number above 0, "
         "at most 100"},
        {"model: lenet-5\nprune:\n  rounds: [2,\n    1]\n",
         "r.yaml:4: prune.rounds[1]: '1' is out of range; it must be a number above 1, at most "
         "1000000"},
        {"model: lenet-5\nprune:\n  rounds:\n  - 4\n  - 8\n  - 8\n",
         "r.yaml:6: prune.rounds[2]: 8 comes after 8; the ratios must rise"},
        {MINIMAL "quantize:\n  fix: [0.5, 1,\n    1]\n",
         "r.yaml:5: quantize.fix[2]: 1 comes after 1; the shares must rise"},
        {MINIMAL "quantize: {admm: {training: {average: 0.5}}}\n",
         "r.yaml:3: quantize.admm.training.average: there is no averaging within ADMM"},
        {MINIMAL "quantize: {fix: [1.5]}\n",
         "r.yaml:3: quantize.fix[0]: '1.5' is out of range; it must be a number above 0, at most "
         "1"},
        {"model: lenet-5\nprune:\n  rounds: []\n",
         "r.yaml:3: prune.rounds: a list is empty; it must be a list of 1 to 32 entries, each a "
         "number above 1, at most 1000000"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  scope: per-layer\n  keep:\n  - layer: fc1\n"
         "    keep: 1.5\n",
         "r.yaml:7: prune.keep[0].keep: '1.5' is out of range; it must be a number above 0, at "
         "most "
         "1"},
        {MINIMAL "training: {optimizer: adma}\n",
         "r.yaml:3: training.optimizer: 'adma' is unknown, 'adam' perhaps; it must be one of sgd, "
         "adam, adamw"},
        {MINIMAL "training: {optimizer: 1}\n",
         "r.yaml:3: training.optimizer: '1' is unknown; it must be one of sgd, adam, adamw"},
        {"model: lenet-6\nprune: {rounds: [2]}\n",
         "r.yaml:1: model: no .onnx or .admm file: no network named 'lenet-6'; there are lenet-5, "
         "lenet-5-bn, "
         "lenet-300-100, mlp-bn-WIDTH, alexnet, vgg-16, vgg-small, resnet-18, resnet-50, "
         "resnet-20, resnet-56, mobilenet-v1, mobilenet-v2, transformer-small (WIDTH from 1 to "
         "7500)"},
    };
    EXPECT_MISTAKES(list);
}

static void keys_that_contradict(void **state) {
    (void)state;
    static const mistake list[] = {
        {MINIMAL "training: {distill: 0.5}\n",
         "r.yaml:3: training.distill: the teacher is the dense network, which is trained here"},
        {MINIMAL "quantize:\n  method: straight-through\n  variant: admm-s\n",
         "r.yaml:5: quantize.variant: is of method: admm"},
        {MINIMAL "quantize:\n  method: projected-gradient\n  admm: {tolerance: 0.1}\n",
         "r.yaml:5: quantize.admm.tolerance: is of method: admm"},
        {MINIMAL "quantize:\n  method: projected-gradient\n  admm: {updates: 2}\n",
         "r.yaml:5: quantize.admm.updates: is of method: admm"},
        {MINIMAL "quantize:\n  method: straight-through\n  admm:\n    rho: {last: 2}\n",
         "r.yaml:6: quantize.admm.rho: is of method: admm"},
        {MINIMAL "quantize: {beta: 1}\n", "r.yaml:3: quantize.beta: is of variant: admm-s"},
        {MINIMAL "quantize: {variant: admm-s, probability: 0.5}\n",
         "r.yaml:3: quantize.probability: is of variant: admm-r"},
        {MINIMAL "quantize: {levels: sign, max_loss: 0.5}\n",
         "r.yaml:3: quantize.max_loss: is of the search for bits, which these levels do without"},
        {MINIMAL "quantize: {max_loss: 0.5, bits: [{layer: fc1, bits: 2}]}\n",
         "r.yaml:3: quantize.max_loss: is of the search for bits, which quantize.bits replaces"},
        {MINIMAL "training: {temperature: 2}\n",
         "r.yaml:3: training.temperature: is of the teacher's answers, and distill is 0"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  finish: {versions: 4}\n",
         "r.yaml:4: prune.finish.versions: are the teacher's, and distill is 0"},
        {MINIMAL "training:\n  loss: squared-hinge\n  label_smoothing: 0.1\n",
         "r.yaml:5: training.label_smoothing: is for loss: cross-entropy; the squared hinge knows "
         "labels alone"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  finish: {loss: squared-hinge, distill: 0.5}\n",
         "r.yaml:4: prune.finish.distill: is for loss: cross-entropy; the squared hinge knows "
         "labels alone"},
        {MINIMAL "quantize: {teacher: pruned}\n",
         "r.yaml:3: quantize.teacher: pruned, but neither quantize.admm.training nor "
         "quantize.retrain has a distill above 0"},
        {MINIMAL "quantize:\n  fix: [0.25, 0.5, 1]\n  retrain: {epochs: 2}\n",
         "r.yaml:4: quantize.fix: 3 shares for the 2 epochs of quantize.retrain; each needs one"},
        {MINIMAL "dataset:\n  format: cifar\n",
         "r.yaml:4: dataset.format: 'cifar' is unknown, 'cifar10' perhaps; it must be one of "
         "mnist, idx, cifar10, "
         "cifar100, folder, npy"},
        {MINIMAL "dataset:\n  format: idx\n",
         "r.yaml:4: dataset.format: idx needs dataset.path, where the files are"},
        {MINIMAL "dataset:\n  format: mnist\n  path: x\n",
         "r.yaml:5: dataset.path: is of other formats; mnist is the fetched one, idx has a path"},
        {MINIMAL "dataset: {format: cifar100}\n",
         "r.yaml:3: dataset.format: cifar100 needs dataset.path, where the files are"},
        {MINIMAL "dataset:\n  format: idx\n  path: x\n  size: 32\n",
         "r.yaml:6: dataset.size: is of format: folder"},
        {MINIMAL "dataset:\n  max_damaged: 1\n",
         "r.yaml:4: dataset.max_damaged: is of format: folder"},
        {MINIMAL "dataset:\n  format: folder\n  path: x\n  resize: 256\n",
         "r.yaml:6: dataset.resize: is before the crop to dataset.size, which is not given"},
        {MINIMAL "dataset:\n  format: folder\n  path: x\n  size: 224\n  resize: 223\n",
         "r.yaml:7: dataset.resize: 223; the crop takes dataset.size, 224, so that it must be 224 "
         "at "
         "least"},
        {MINIMAL "dataset:\n  mean: [0.5]\n",
         "r.yaml:4: dataset.mean: 1 means and 0 deviations; as many of both are wanted"},
        {MINIMAL "dataset:\n  deviation: [0.5]\n",
         "r.yaml:4: dataset.deviation: 0 means and 1 deviations; as many of both are wanted"},
        {MINIMAL "dataset:\n  mean: [0.5, 0.5]\n  deviation: [0.5, 0.5]\n",
         "r.yaml:4: dataset.mean: 2 entries; one for all channels, or one each of three"},
        {MINIMAL "dataset:\n  mean: [0.5]\n  deviation: [0.5]\n  normalise: training\n",
         "r.yaml:6: dataset.normalise: training, but mean and deviation are given"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  keep: [{layer: fc1, keep: 0.1}]\n",
         "r.yaml:4: prune.keep: shares of layers need scope: per-layer"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  scope: per-layer\n  keep:\n"
         "  - {layer: fc1, keep: 0.1}\n  - {layer: fc1, keep: 0.2}\n",
         "r.yaml:7: prune.keep[1].layer: 'fc1' has a share already, at line 6"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  n: 5\n",
         "r.yaml:4: prune.n: 5 of 4; n must be at most m"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  m: 1\n",
         "r.yaml:4: prune.m: 2 of 1; n must be at most m"},
        {"model: lenet-5\nprune:\n  set: n-of-m\n  rounds: [2, 4]\n",
         "r.yaml:4: prune.rounds: set: n-of-m has one ratio, m / n = 2"},
        {"model: lenet-5\nprune:\n  set: n-of-m\n  rounds: [3]\n",
         "r.yaml:4: prune.rounds: set: n-of-m has one ratio, m / n = 2"},
        {"model: lenet-5\nprune:\n  set: n-of-m\n  m: 2\n",
         "r.yaml:4: prune.m: 2 of 2 prunes nothing"},
        {"model: lenet-5\nprune:\n  method: one-shot\n  rounds: [2, 4]\n",
         "r.yaml:4: prune.rounds: 2 rounds; one-shot prunes once (method: gradual takes many)"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  set: filters\n  scope: global\n",
         "r.yaml:5: prune.scope: global ranks single weights; only set: sparse has it"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  method: random\n  scope: global\n",
         "r.yaml:5: prune.scope: global ranks weights; method: random does not"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  method: gradual\n  bit_cost: [1, 2, 3, 4]\n",
         "r.yaml:5: prune.bit_cost: is for method: admm; its controls rank by magnitude"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  scope: per-layer\n  bit_cost: [1, 2, 3, 4]\n",
         "r.yaml:5: prune.bit_cost: is for scope: global, the rank over all layers"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  method: gradual\n  ramp: 0.5\n",
         "r.yaml:5: prune.ramp: is for method: admm (method: gradual has its rounds)"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  method: one-shot\n  penalty: pruned\n",
         "r.yaml:5: prune.penalty: is for method: admm; its controls have none"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  ramp: 0.5\n  admm: {iterations: 0}\n",
         "r.yaml:4: prune.ramp: is of iterations, and prune.admm.iterations is 0"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  method: one-shot\n  x_step: curvature\n",
         "r.yaml:5: prune.x_step: is for method: admm; its controls have none"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  x_step: curvature\n  penalty: pruned\n",
         "r.yaml:5: prune.penalty: is for x_step: training"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  x_step: curvature\n  admm: {epochs: 2}\n",
         "r.yaml:5: prune.admm.epochs: x_step: curvature measures one epoch an iteration; give "
         "more "
         "iterations"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  x_step: curvature\n"
         "  admm: {training: {loss: squared-hinge}}\n",
         "r.yaml:5: prune.admm.training.loss: x_step: curvature is of loss: cross-entropy"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  x_step: curvature\n  admm: {iterations: 0}\n",
         "r.yaml:4: prune.x_step: is of iterations, and prune.admm.iterations is 0"},
        {"model: lenet-5\nprune:\n  rounds: [2]\n  curvature_share: 0.5\n",
         "r.yaml:4: prune.curvature_share: is of x_step: curvature"},
        {"model: lenet-5\nprune:\n  set: n-of-m\n  ramp: 0.5\n",
         "r.yaml:4: prune.ramp: set: n-of-m has one ratio, and none on the way to it"},
        {MINIMAL "quantize:\n  bias_bits: 1\n",
         "r.yaml:4: quantize.bias_bits: 1 holds zero alone; "
         "it must be 0 (float32) or from 2 to 12"},
        {MINIMAL "quantize:\n  levels: equal-zero\n  bits:\n  - {layer: fc1, bits: 1}\n",
         "r.yaml:6: quantize.bits[0].bits: 1; levels equal-zero need at least 2"},
        {MINIMAL "quantize:\n  levels: power-of-two\n  max_bits: 7\n",
         "r.yaml:5: quantize.max_bits: 7; levels power-of-two take at most 6"},
        {MINIMAL "quantize:\n  levels: binary\n  max_bits: 4\n",
         "r.yaml:5: quantize.max_bits: 4; levels binary have 1"},
        {MINIMAL "quantize:\n  max_bits: 1\n  levels: ternary\n",
         "r.yaml:4: quantize.max_bits: 1; levels ternary have 2"},
        {MINIMAL "quantize:\n  levels: ternary\n  bits:\n  - {layer: fc1, bits: 3}\n",
         "r.yaml:6: quantize.bits[0].bits: 3; levels ternary have 2"},
        {MINIMAL "quantize:\n  bits:\n  - {layer: fc1, bits: 1}\n  - {layer: fc1, bits: 1}\n",
         "r.yaml:6: quantize.bits[1].layer: 'fc1' has bits already, at line 5"},
    };
    EXPECT_MISTAKES(list);
}

static void expect_unfit(const char *text, const char *message) {
    graph *g = NULL;
    admmnn_error err = {0};
    recipe *r = parse(text);
    assert_int_equal(graph_zoo_create(r->model, graph_shape_image(1, 28, 28), 10, &g, NULL),
                     ADMMNN_OK);
    if (message == NULL) {
        assert_int_equal(recipe_check(r, g, NULL, &err), ADMMNN_OK);
    } else {
        assert_int_equal(recipe_check(r, g, NULL, &err), ADMMNN_INPUT);
        assert_string_equal(err.message, message);
    }
    base_free(r);
    graph_free(g);
}

static void mistakes_the_network_shows(void **state) {
    (void)state;
    expect_unfit(
        "model: lenet-5\nprune:\n  rounds: [2]\n  scope: per-layer\n  keep:\n"
        "  - {layer: fc1, keep: 0.5}\n  -\n    layer: fc9\n    keep: 0.5\n",
        "r.yaml:8: prune.keep: lenet-5 has no layer 'fc9'; there are conv1, conv2, fc1, "
        "fc2");
    expect_unfit(
        "model: lenet-5\nprune:\n  rounds: [2]\n  scope: per-layer\n"
        "  keep: [{layer: conv1, keep: 0.0019}]\n",
        "r.yaml:5: prune.keep: 0.0019 of conv1's 500 weights is less than one");
    expect_unfit(MINIMAL "quantize: {bits: [{layer: relu1, bits: 2}]}\n",
                 "r.yaml:3: quantize.bits: lenet-5 has no layer 'relu1'; there are conv1, conv2, "
                 "fc1, fc2");
    expect_unfit("model: lenet-5\nprune:\n  rounds: [2]\n  bit_cost: [1, 2]\n",
                 "r.yaml:4: prune.bit_cost: 2 costs; there must be one for each of lenet-5's 4 "
                 "layers");
    expect_unfit("model: mlp-bn-8\nprune: {rounds: [2],\n  finish: {average: 0.5}}\n",
                 "r.yaml:3: prune.finish.average: mlp-bn-8 has batch normalization, whose running "
                 "statistics are not those of averaged weights");
    expect_unfit("model: mlp-bn-8\nprune: {rounds: [2]}\n", NULL);
    /* 430,500 weights in four layers. */
    expect_unfit("model: lenet-5\nprune:\n  rounds: [2, 107626]\n",
                 "r.yaml:3: prune.rounds: 107626 keeps less than a weight a layer of lenet-5; the "
                 "ratios must be at most 107625");
    expect_unfit("model: lenet-5\nprune: {rounds: [2, 107625], bit_cost: [1, 2, 3, 4]}\n", NULL);
}

/* ---- hostile text ---- */

static void text_that_is_no_recipe(void **state) {
    (void)state;
    static const mistake list[] = {
        {"", "r.yaml:1: empty; a recipe names at least its model"},
        {"# nothing\n", "r.yaml:1: empty; a recipe names at least its model"},
        {"---\n", "r.yaml:2: a recipe is a map of keys to values"},
        {"lenet-5\n", "r.yaml:1: a recipe is a map of keys to values"},
        {"\n- a\n", "r.yaml:2: a recipe is a map of keys to values"},
        {MINIMAL "---\nmodel: lenet-5\n", "r.yaml:3: a second document; a recipe is one"},
        {"model: lenet-5\npack: *m\n", "r.yaml:2: a recipe has no aliases; repeat the value"},
        {"model: &m lenet-5\npack: *m\n", "r.yaml:1: a recipe has no anchors; remove the '&'"},
        {MINIMAL "&s seed: 1\n", "r.yaml:3: a recipe has no anchors; remove the '&'"},
        {MINIMAL "pack: &p\n  values: auto\n", "r.yaml:3: a recipe has no anchors; remove the '&'"},
        {"model: lenet-5\nprune:\n  rounds: &r [2]\n",
         "r.yaml:3: a recipe has no anchors; remove the '&'"},
        {"!!map\nmodel: lenet-5\n", "r.yaml:1: a recipe has no tags; remove the '!'"},
        {MINIMAL "seed: !!str 1\n", "r.yaml:3: a recipe has no tags; remove the '!'"},
        {MINIMAL "seed: ! 1\n", "r.yaml:3: a recipe has no tags; remove the '!'"},
        {MINIMAL "!!str seed: 1\n", "r.yaml:3: a recipe has no tags; remove the '!'"},
        {MINIMAL "quantize:\n  enabled: !!bool false\n",
         "r.yaml:4: a recipe has no tags; remove the '!'"},
        {"model: lenet-5\nprune:\n  rounds: !mine [2]\n",
         "r.yaml:3: a recipe has no tags; remove the '!'"},
        {"model: lenet-5\n<<: {seed: 1}\n",
         "r.yaml:2: <<: unknown key; there are model, dataset, "
         "seed, backend, training, prune, quantize, pack"},
        {"model: lenet-5\n[a]: 1\n", "r.yaml:2: a key must be a word"},
        {"model: lenet-5\n\tseed: 1\n",
         "r.yaml:2: not YAML: found a tab character that violates indentation"},
        {"model: lenet-5\npack: {\n", "r.yaml:3: not YAML: did not find expected node content"},
        {"model: lenet-5\nseed: \x01\n", "r.yaml:2: not YAML: control characters are not allowed"},
        {"model: lenet-5\n\nseed: \xff\xfe\n", "r.yaml:3: not YAML: invalid leading UTF-8 octet"},
        {"model: \"lenet-5\\0\"\n", "r.yaml:1: a zero byte in a text"},
    };
    EXPECT_MISTAKES(list);
    static const char zero[] = "model: lenet-5\nseed: 1\0\n";
    expect_mistake(zero, sizeof zero - 1, "r.yaml:2: not YAML: control characters are not allowed");
}

static void deep_long_and_many(void **state) {
    (void)state;
    enum { COUNT = 200000 };
    char *text = base_array(COUNT + 64, 1);
    assert_non_null(text);
    memcpy(text, "pack: ", 6);
    memset(text + 6, '[', COUNT);
    expect_mistake(text, COUNT, "r.yaml:1: nested deeper than any recipe");
    memset(text, 'k', COUNT);
    memcpy(text + COUNT, ": 1\n", 4);
    recipe *r = NULL;
    admmnn_error err = {0};
    /* libyaml wants a key within 1024 characters. */
    assert_int_equal(recipe_parse("r.yaml", (uint8_t *)text, COUNT + 4, &r, &err), ADMMNN_INPUT);
    memset(text, 0, COUNT + 64);
    memset(text + snprintf(text, COUNT, "pack:\n "), 'k', 300);
    memcpy(text + 307, ": 1\n", 5);
    expect_mistake(text, 311, "r.yaml:2: a key longer than any recipe's");
    memcpy(text, "model: ", 7);
    memset(text + 7, 'm', COUNT);
    expect_mistake(text, COUNT,
                   "r.yaml:1: model: 'mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm' is too "
                   "long; it must be a text of 1 to 1023 bytes");
    size_t used = (size_t)snprintf(text, COUNT, "pack: [");
    for (int i = 0; i < 40000; i++)
        used += (size_t)snprintf(text + used, COUNT - used, "1,");
    expect_mistake(text, used, "r.yaml:1: more than 4096 keys");
    base_free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_and_missing_keys),   cmocka_unit_test(wrong_types),
        cmocka_unit_test(impossible_values),          cmocka_unit_test(keys_that_contradict),
        cmocka_unit_test(mistakes_the_network_shows), cmocka_unit_test(text_that_is_no_recipe),
        cmocka_unit_test(deep_long_and_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
