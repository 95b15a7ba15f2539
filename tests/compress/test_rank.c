/* The rank over all layers against choosing weights one by one. */
#include "engine/support.h"

#include "compress/rank.h"
#include "must.h"

/* Two small layers and a large one; few values, so that ties are many. */
typedef struct ranked {
    graph *g;
    float *params, *importance;
    uint8_t *mask;
    size_t kept;
} ranked;

static ranked make(uint64_t seed) {
    ranked r = {0};
    uint32_t v;
    assert_int_equal(graph_create("net", graph_shape_image(1, 2, 3), &r.g, NULL), ADMMNN_OK);
    v = r.g->input;
    assert_int_equal(graph_add_inner_product(r.g, "a", v, 2, true, &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_relu(r.g, "relu", v, &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_inner_product(r.g, "b", v, 9, true, &v, NULL), ADMMNN_OK);
    assert_int_equal(graph_add_inner_product(r.g, "c", v, 3, true, &v, NULL), ADMMNN_OK);
    r.params = floats(r.g->flat_count);
    r.importance = floats(r.g->flat_count);
    r.mask = base_array(r.g->flat_count, 1);
    assert_non_null(r.mask);
    base_random random = base_random_at(seed, 0, 0);
    for (size_t i = 0; i < r.g->flat_count; i++) {
        r.params[i] = ((float)base_random_below(&random, 9) - 4.0F) / 4.0F;
        r.importance[i] = (float)base_random_below(&random, 4) / 2.0F;
        r.mask[i] = base_random_below(&random, 4) != 0;
    }
    for (uint32_t l = 0; l < 3; l++)
        r.kept += rank_kept(r.g, graph_layer(r.g, l), r.mask);
    return r;
}

static void drop(ranked *r) {
    graph_free(r->g);
    base_free(r->params);
    base_free(r->importance);
    base_free(r->mask);
}

static bool choose_best(const ranked *r, bool weighted, const double *cost, uint32_t only_layer,
                        uint8_t *chosen, size_t *counts) {
    double best = -1;
    size_t best_at = 0;
    uint32_t best_layer = GRAPH_NONE;
    for (uint32_t l = 0; l < 3; l++) {
        const graph_parameter *w = &r->g->parameters[r->g->nodes[graph_layer(r->g, l)].weight];
        for (size_t i = w->offset; i < w->offset + w->count; i++) {
            if (r->mask[i] == 0 || chosen[i] != 0 || (only_layer != GRAPH_NONE && only_layer != l))
                continue;
            double score = (double)r->params[i] * (double)r->params[i];
            if (weighted)
                score = score * (double)r->importance[i] / cost[l];
            if (score > best) {
                best = score;
                best_at = i;
                best_layer = l;
            }
        }
    }
    if (best_layer == GRAPH_NONE)
        return false;
    chosen[best_at] = 1;
    counts[best_layer]++;
    return true;
}

/* The best of each layer first, then the best of what is left, one at a time. */
static void choose(const ranked *r, bool weighted, const double *cost, size_t total,
                   size_t *counts) {
    uint8_t *chosen = base_array(r->g->flat_count, 1);
    assert_non_null(chosen);
    memset(counts, 0, 3 * sizeof *counts);
    size_t taken = 0;
    for (uint32_t l = 0; l < 3; l++)
        taken += choose_best(r, weighted, cost, l, chosen, counts);
    while (taken < total && choose_best(r, weighted, cost, GRAPH_NONE, chosen, counts))
        taken++;
    base_free(chosen);
}

static void expect_counts(const ranked *r, bool weighted, size_t total) {
    static const double cost[3] = {1, 4, 2};
    size_t counts[3], wanted[3];
    assert_int_equal(rank_global(r->g, r->params, r->mask, weighted ? r->importance : NULL,
                                 weighted ? cost : NULL, total, counts, NULL),
                     ADMMNN_OK);
    choose(r, weighted, cost, total, wanted);
    for (int l = 0; l < 3; l++)
        assert_int_equal(counts[l], wanted[l]);
    if (total >= 3)
        assert_int_equal(counts[0] + counts[1] + counts[2], total < r->kept ? total : r->kept);
}

static void against_choosing_one_by_one(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        ranked r = make(seed);
        for (size_t total = 0; total <= r.kept + 2; total++) {
            expect_counts(&r, false, total);
            expect_counts(&r, true, total);
        }
        drop(&r);
    }
}

static void an_empty_layer_asks_for_nothing(void **state) {
    (void)state;
    ranked r = make(3);
    const graph_parameter *w = &r.g->parameters[r.g->nodes[graph_layer(r.g, 1)].weight];
    memset(r.mask + w->offset, 0, w->count);
    r.kept -= r.kept - rank_kept(r.g, graph_layer(r.g, 0), r.mask) -
              rank_kept(r.g, graph_layer(r.g, 2), r.mask);
    assert_int_equal(rank_kept(r.g, graph_layer(r.g, 1), r.mask), 0);
    for (size_t total = 3; total < r.kept; total++)
        expect_counts(&r, true, total);
    drop(&r);
}

static void kept_counts_weights_alone(void **state) {
    (void)state;
    ranked r = make(1);
    memset(r.mask, 1, r.g->flat_count);
    assert_int_equal(rank_kept(r.g, graph_layer(r.g, 0), r.mask), 12);
    assert_int_equal(rank_kept(r.g, graph_layer(r.g, 1), r.mask), 18);
    assert_int_equal(rank_kept(r.g, graph_layer(r.g, 2), r.mask), 27);
    drop(&r);
}

/* Rows of an inner product, columns of a matmul's right side. */
static void units_without_weights_are_counted(void **state) {
    (void)state;
    ranked r = make(2);
    const uint32_t c = graph_layer(r.g, 2);
    const graph_parameter *w = &r.g->parameters[r.g->nodes[c].weight];
    assert_int_equal(rank_units(r.g, c), 3);
    memset(r.mask + w->offset, 0, w->count);
    assert_int_equal(rank_empty_units(r.g, c, r.mask), 3);
    r.mask[w->offset + 9] = 1; /* the second row's first */
    assert_int_equal(rank_empty_units(r.g, c, r.mask), 2);
    r.mask[w->offset + 26] = 1; /* the third row's last */
    assert_int_equal(rank_empty_units(r.g, c, r.mask), 1);
    drop(&r);

    graph *g;
    uint32_t right, out;
    uint8_t mask[4 * 3] = {0};
    MUST(graph_create("net", (graph_shape){2, {2, 4}}, &g, err));
    MUST(graph_add_parameter(g, "w", GRAPH_WEIGHT, (graph_shape){2, {4, 3}}, &right, err));
    MUST(graph_add_matmul(g, "product", g->input, right, &out, err));
    assert_int_equal(rank_units(g, 0), 3);
    mask[1] = mask[10] = 1; /* both of the second column */
    assert_int_equal(rank_empty_units(g, 0, mask), 2);
    graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_choosing_one_by_one),
        cmocka_unit_test(an_empty_layer_asks_for_nothing),
        cmocka_unit_test(kept_counts_weights_alone),
        cmocka_unit_test(units_without_weights_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
