/* The two forms of parameters, and evaluation. */
#include "support.h"

/* Every third weight of every layer, and all biases. */
static uint8_t *mask_make(const graph *g) {
    uint8_t *mask = base_array(g->flat_count, 1);
    assert_non_null(mask);
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const graph_parameter *parameter = &g->parameters[p];
        for (size_t i = 0; i < parameter->count; i++)
            mask[parameter->offset + i] = parameter->kind == GRAPH_BIAS || i % 3 == 0;
    }
    return mask;
}

static void restriction_drops_the_rest(void **state) {
    (void)state;
    fixture *f = fixture_make(2);
    train_network *n = network_make(f, f->start);
    uint8_t *mask = mask_make(f->g);
    admmnn_error err = {0};
    expect_ok(train_network_restrict(n, mask, &err), &err);
    size_t kept = 0;
    for (size_t i = 0; i < f->g->flat_count; i++)
        kept += mask[i];
    assert_int_equal(n->active_count, kept);
    float *flat = base_array(f->g->flat_count, sizeof *flat);
    train_network_expand(n, n->params, flat);
    for (size_t i = 0; i < f->g->flat_count; i++)
        assert_true(flat[i] == (mask[i] != 0 ? f->start[i] : 0.0F));
    float *active = base_array(kept, sizeof *active);
    train_network_compact(n, flat, active);
    assert_memory_equal(active, n->params, kept * sizeof *active);
    /* A second, narrower support within the first. */
    for (size_t i = 0; i < f->g->flat_count; i += 2)
        mask[i] = 0;
    expect_ok(train_network_restrict(n, mask, &err), &err);
    expect_ok(train_network_restrict(n, NULL, &err), &err);
    assert_int_equal(n->active_count, f->g->flat_count);
    for (size_t i = 0; i < f->g->flat_count; i++)
        assert_true(n->params[i] == (mask[i] != 0 ? f->start[i] : 0.0F));
    base_free(flat);
    base_free(active);
    base_free(mask);
    train_network_free(n);
    fixture_free(f);
}

static void an_empty_support_is_a_network_of_zeros(void **state) {
    (void)state;
    fixture *f = fixture_make(1);
    train_network *n = network_make(f, f->start);
    uint8_t *mask = base_array(f->g->flat_count, 1);
    admmnn_error err = {0};
    expect_ok(train_network_restrict(n, mask, &err), &err);
    assert_int_equal(n->active_count, 0);
    train_score score;
    expect_ok(
        train_network_evaluate(n, n->params, &f->set, NULL, 10, f->samples.tones, &score, &err),
        &err);
    assert_true(fabs(score.loss - log(CLASSES)) < 1e-6);
    base_free(mask);
    train_network_free(n);
    fixture_free(f);
}

/* A network on a support and one with zeros outside it are the same function. */
static void a_support_does_not_change_the_function(void **state) {
    (void)state;
    fixture *f = fixture_make(2);
    uint8_t *mask = mask_make(f->g);
    float *zeroed = base_array_copy(f->start, f->g->flat_count, sizeof *zeroed);
    for (size_t i = 0; i < f->g->flat_count; i++)
        zeroed[i] = mask[i] != 0 ? zeroed[i] : 0.0F;
    train_network *dense = network_make(f, zeroed);
    train_network *sparse = network_make(f, f->start);
    admmnn_error err = {0};
    expect_ok(train_network_restrict(sparse, mask, &err), &err);
    float *logits[2] = {base_array((size_t)IMAGES * CLASSES, sizeof(float)),
                        base_array((size_t)IMAGES * CLASSES, sizeof(float))};
    train_score scores[2];
    expect_ok(train_network_evaluate(dense, dense->params, &f->set, NULL, IMAGES, f->samples.tones,
                                     &scores[0], &err),
              &err);
    expect_ok(train_network_evaluate(sparse, sparse->params, &f->set, NULL, IMAGES,
                                     f->samples.tones, &scores[1], &err),
              &err);
    data_view view = {.set = &f->set, .tones = f->samples.tones};
    expect_ok(train_network_answer(dense, &view, IMAGES, logits[0], &err), &err);
    expect_ok(train_network_answer(sparse, &view, IMAGES, logits[1], &err), &err);
    for (size_t i = 0; i < (size_t)IMAGES * CLASSES; i++)
        assert_true(fabs((double)logits[0][i] - (double)logits[1][i]) < 1e-5);
    assert_true(fabs(scores[0].loss - scores[1].loss) < 1e-5);
    base_free(logits[0]);
    base_free(logits[1]);
    train_network_free(dense);
    train_network_free(sparse);
    base_free(zeroed);
    base_free(mask);
    fixture_free(f);
}

/* The score, from the logits and the labels by hand; images in a given order, the
 * last batch not full. */
static void scores_are_as_defined(void **state) {
    (void)state;
    fixture *f = fixture_make(2);
    train_network *n = network_make(f, f->start);
    uint32_t order[77];
    for (uint32_t i = 0; i < 77; i++)
        order[i] = (i * 37 + 11) % IMAGES;
    float *logits = base_array(77 * CLASSES, sizeof *logits);
    train_score score;
    admmnn_error err = {0};
    expect_ok(
        train_network_evaluate(n, n->params, &f->set, order, 77, f->samples.tones, &score, &err),
        &err);
    data_view view = {.set = &f->set, .order = order, .tones = f->samples.tones};
    expect_ok(train_network_answer(n, &view, 77, logits, &err), &err);
    double loss = 0.0;
    size_t correct = 0;
    for (size_t i = 0; i < 77; i++) {
        const float *x = logits + i * CLASSES;
        size_t label = f->set.labels[order[i]];
        double sum = 0.0;
        size_t best = 0;
        for (size_t c = 0; c < CLASSES; c++) {
            sum += exp((double)x[c]);
            best = x[c] > x[best] ? c : best;
        }
        loss += log(sum) - (double)x[label];
        correct += best == label;
    }
    assert_int_equal(score.count, 77);
    assert_int_equal(score.correct, correct);
    assert_true(fabs(score.accuracy - (double)correct / 77.0) < 1e-12);
    assert_true(fabs(score.loss - loss / 77.0) < 1e-5);
    expect_ok(
        train_network_evaluate(n, n->params, &f->set, NULL, 0, f->samples.tones, &score, &err),
        &err);
    assert_true(score.count == 0 && score.accuracy == 0.0 && score.loss == 0.0);
    base_free(logits);
    train_network_free(n);
    fixture_free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(restriction_drops_the_rest),
        cmocka_unit_test(an_empty_support_is_a_network_of_zeros),
        cmocka_unit_test(a_support_does_not_change_the_function),
        cmocka_unit_test(scores_are_as_defined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
