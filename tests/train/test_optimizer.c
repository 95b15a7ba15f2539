/* Optimisers against a naive reference in double precision, over many steps. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "train/optimizer.h"

/* Above PARALLEL_COUNT of optimizer.c, and no multiple of any tile. */
#define COUNT 20011
#define STEPS 60
#define PARTS_MAX 3

/* Three segments with gaps between them, as parameters have in a flat vector. */
static const train_segment segments[] = {
    {.offset = 0, .count = 5003, .rho = 0.05F, .decay = true},
    {.offset = 5008, .count = 17, .rho = 0.0F, .decay = false},
    {.offset = 5040, .count = 14960, .rho = 0.3F, .decay = true},
};
#define SEGMENTS 3

typedef struct trial {
    train_optimizer_settings settings;
    unsigned threads;
    uint32_t parts;
    bool penalty, fixes, excludes;
} trial;

typedef struct inputs {
    float *parts[PARTS_MAX];
    const float *part_list[PARTS_MAX];
    float *anchor;
    uint8_t *fixed, *unpenalized;
    float *start;
} inputs;

static inputs inputs_make(void) {
    inputs in;
    base_random random = base_random_at(3, 1, 4);
    for (int p = 0; p < PARTS_MAX; p++) {
        in.parts[p] = base_array(COUNT, sizeof(float));
        assert_non_null(in.parts[p]);
        in.part_list[p] = in.parts[p];
    }
    in.anchor = base_array(COUNT, sizeof(float));
    in.start = base_array(COUNT, sizeof(float));
    in.fixed = base_array(COUNT, 1);
    in.unpenalized = base_array(COUNT, 1);
    assert_true(in.anchor != NULL && in.start != NULL && in.fixed != NULL &&
                in.unpenalized != NULL);
    for (size_t i = 0; i < COUNT; i++) {
        in.anchor[i] = base_random_normal(&random);
        in.start[i] = base_random_normal(&random);
        in.fixed[i] = base_random_below(&random, 3) == 0;
        in.unpenalized[i] = base_random_below(&random, 4) == 0;
    }
    return in;
}

static void inputs_free(inputs *in) {
    for (int p = 0; p < PARTS_MAX; p++)
        base_free(in->parts[p]);
    base_free(in->anchor);
    base_free(in->start);
    base_free(in->fixed);
    base_free(in->unpenalized);
}

static void fill_parts(inputs *in, uint64_t step) {
    base_random random = base_random_at(9, 2, step);
    for (int p = 0; p < PARTS_MAX; p++)
        for (size_t i = 0; i < COUNT; i++)
            in->parts[p][i] = 2.0F * base_random_uniform(&random) - 0.9F;
}

static float rate_of(uint64_t step) {
    return 0.02F / (1.0F + 0.05F * (float)step);
}

static train_update update_of(const trial *t, const inputs *in, uint64_t step) {
    return (train_update){.parts = in->part_list,
                          .part_count = t->parts,
                          .scale = 1.0F / 64.0F,
                          .learning_rate = rate_of(step),
                          .anchor = t->penalty ? in->anchor : NULL,
                          .unpenalized = t->excludes ? in->unpenalized : NULL,
                          .fixed = t->fixes ? in->fixed : NULL,
                          .segments = segments,
                          .segment_count = SEGMENTS};
}

/* ---- the reference: one parameter a call, from the papers ---- */

typedef struct reference {
    double *w, *first, *second;
} reference;

static void reference_one(const trial *t, const inputs *in, const train_segment *segment,
                          uint64_t step, size_t i, reference *r) {
    const train_optimizer_settings *s = &t->settings;
    double rate = (double)rate_of(step);
    double decay = segment->decay ? (double)s->weight_decay : 0.0;
    double g = 0.0;
    for (uint32_t p = 0; p < t->parts; p++)
        g += (double)in->parts[p][i] / 64.0;
    if (t->penalty && !(t->excludes && in->unpenalized[i] != 0))
        g += (double)segment->rho * (r->w[i] - (double)in->anchor[i]);
    if (s->kind != TRAIN_ADAMW)
        g += decay * r->w[i];
    if (s->kind == TRAIN_SGD) {
        r->first[i] = (double)s->momentum * r->first[i] + g;
        r->w[i] -= rate * r->first[i];
    } else {
        double beta1 = s->beta1 == 0.0F ? 0.9 : (double)s->beta1;
        double beta2 = s->beta2 == 0.0F ? 0.999 : (double)s->beta2;
        double epsilon = s->epsilon == 0.0F ? 1e-8 : (double)s->epsilon;
        double power = (double)step + 1.0;
        r->first[i] = beta1 * r->first[i] + (1.0 - beta1) * g;
        r->second[i] = beta2 * r->second[i] + (1.0 - beta2) * g * g;
        double mean = r->first[i] / (1.0 - pow(beta1, power));
        double square = r->second[i] / (1.0 - pow(beta2, power));
        if (s->kind == TRAIN_ADAMW)
            r->w[i] -= rate * decay * r->w[i];
        r->w[i] -= rate * mean / (sqrt(square) + epsilon);
    }
    if (t->fixes && in->fixed[i] != 0)
        r->w[i] = (double)in->start[i];
}

static void reference_step(const trial *t, const inputs *in, uint64_t step, reference *r) {
    for (size_t k = 0; k < SEGMENTS; k++)
        for (size_t i = segments[k].offset; i < segments[k].offset + segments[k].count; i++)
            reference_one(t, in, &segments[k], step, i, r);
}

static reference reference_make(const inputs *in) {
    reference r = {base_array(COUNT, sizeof(double)), base_array(COUNT, sizeof(double)),
                   base_array(COUNT, sizeof(double))};
    assert_true(r.w != NULL && r.first != NULL && r.second != NULL);
    for (size_t i = 0; i < COUNT; i++)
        r.w[i] = (double)in->start[i];
    return r;
}

static void reference_free(reference *r) {
    base_free(r->w);
    base_free(r->first);
    base_free(r->second);
}

/* ---- */

static train_optimizer *optimizer_make(const trial *t) {
    train_optimizer *o;
    assert_int_equal(train_optimizer_create(&t->settings, COUNT, &o, NULL), ADMMNN_OK);
    return o;
}

static bool in_a_segment(size_t i) {
    for (size_t k = 0; k < SEGMENTS; k++)
        if (i >= segments[k].offset && i < segments[k].offset + segments[k].count)
            return true;
    return false;
}

static void compare(const trial *t, const inputs *in, const reference *r, const float *w) {
    for (size_t i = 0; i < COUNT; i++) {
        if (!in_a_segment(i))
            assert_true(w[i] == in->start[i]);
        double bound = 3e-5 * (1.0 + fabs(r->w[i]));
        if (!(fabs((double)w[i] - r->w[i]) <= bound))
            fail_msg("optimiser %d, %u parts, %u threads: w[%zu] is %.8g, not %.8g",
                     (int)t->settings.kind, t->parts, t->threads, i, (double)w[i], r->w[i]);
        if (t->fixes && in->fixed[i] != 0)
            assert_true(w[i] == in->start[i]);
    }
}

static void run_trial(const trial *t) {
    inputs in = inputs_make();
    reference r = reference_make(&in);
    float *w = base_array_copy(in.start, COUNT, sizeof *w);
    base_pool *pool;
    assert_int_equal(base_pool_create(t->threads, &pool, NULL), ADMMNN_OK);
    train_optimizer *o = optimizer_make(t);
    assert_true((train_optimizer_second(o) == NULL) == (t->settings.kind == TRAIN_SGD));
    for (uint64_t step = 0; step < STEPS; step++) {
        fill_parts(&in, step);
        train_update update = update_of(t, &in, step);
        train_optimizer_step(o, pool, &update, w);
        reference_step(t, &in, step, &r);
        assert_int_equal(*train_optimizer_steps(o), step + 1);
    }
    compare(t, &in, &r, w);
    train_optimizer_free(o);
    base_pool_destroy(pool);
    base_free(w);
    reference_free(&r);
    inputs_free(&in);
}

static const train_optimizer_settings settings_of[] = {
    {.kind = TRAIN_SGD},
    {.kind = TRAIN_SGD, .momentum = 0.9F, .weight_decay = 0.01F},
    {.kind = TRAIN_ADAM},
    {.kind = TRAIN_ADAM, .weight_decay = 0.02F, .beta1 = 0.8F, .beta2 = 0.95F, .epsilon = 1e-4F},
    {.kind = TRAIN_ADAMW, .weight_decay = 0.1F},
};

static void steps_follow_the_reference(void **state) {
    (void)state;
    for (size_t k = 0; k < sizeof settings_of / sizeof settings_of[0]; k++) {
        for (uint32_t variant = 0; variant < 8; variant++) {
            trial t = {.settings = settings_of[k],
                       .threads = 1 + variant % 3,
                       .parts = 1 + variant % PARTS_MAX,
                       .penalty = variant % 2 == 1,
                       .fixes = (variant >> 1 & 1) != 0,
                       .excludes = (variant >> 2 & 1) != 0};
            run_trial(&t);
        }
    }
}

/* Each parameter's arithmetic is its own: the division among threads does not show. */
static void threads_give_the_same_bytes(void **state) {
    (void)state;
    const unsigned threads[] = {1, 2, 3, 7};
    inputs in = inputs_make();
    float *expected = base_array(COUNT, sizeof *expected);
    for (size_t k = 0; k < 4; k++) {
        trial t = {.settings = settings_of[3], .threads = threads[k], .parts = 2, .penalty = true};
        float *w = base_array_copy(in.start, COUNT, sizeof *w);
        base_pool *pool;
        assert_int_equal(base_pool_create(threads[k], &pool, NULL), ADMMNN_OK);
        train_optimizer *o = optimizer_make(&t);
        for (uint64_t step = 0; step < 5; step++) {
            fill_parts(&in, step);
            train_update update = update_of(&t, &in, step);
            train_optimizer_step(o, pool, &update, w);
        }
        if (k == 0)
            memcpy(expected, w, COUNT * sizeof *w);
        assert_memory_equal(w, expected, COUNT * sizeof *w);
        train_optimizer_free(o);
        base_pool_destroy(pool);
        base_free(w);
    }
    base_free(expected);
    inputs_free(&in);
}

/* Moments and steps written to another optimiser: it goes on as the first would. */
static void state_moves_to_another_optimiser(void **state) {
    (void)state;
    inputs in = inputs_make();
    trial t = {.settings = settings_of[4], .threads = 1, .parts = 1, .penalty = true};
    base_pool *pool;
    assert_int_equal(base_pool_create(1, &pool, NULL), ADMMNN_OK);
    train_optimizer *first = optimizer_make(&t);
    train_optimizer *second = optimizer_make(&t);
    float *w = base_array_copy(in.start, COUNT, sizeof *w);
    float *moved = NULL;
    for (uint64_t step = 0; step < 8; step++) {
        if (step == 4) {
            moved = base_array_copy(w, COUNT, sizeof *w);
            memcpy(train_optimizer_first(second), train_optimizer_first(first),
                   COUNT * sizeof(float));
            memcpy(train_optimizer_second(second), train_optimizer_second(first),
                   COUNT * sizeof(float));
            *train_optimizer_steps(second) = *train_optimizer_steps(first);
        }
        fill_parts(&in, step);
        train_update update = update_of(&t, &in, step);
        train_optimizer_step(first, pool, &update, w);
        if (moved != NULL)
            train_optimizer_step(second, pool, &update, moved);
    }
    assert_memory_equal(moved, w, COUNT * sizeof *w);
    base_free(moved);
    base_free(w);
    train_optimizer_free(first);
    train_optimizer_free(second);
    base_pool_destroy(pool);
    inputs_free(&in);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_follow_the_reference),
        cmocka_unit_test(threads_give_the_same_bytes),
        cmocka_unit_test(state_moves_to_another_optimiser),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
