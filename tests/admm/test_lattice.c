/* The closest point against every point there is, on small lattices. */
#include "support.h"

#include "admm/lattice.h"
#include "must.h"

#define MOST 4
#define LONG 16

typedef struct problem {
    size_t d;
    double r[MOST * MOST], t[MOST];
    admm_ladder ladders[MOST];
    double levels[MOST][5];
} problem;

static double between(base_random *random, double low, double high) {
    return low + (high - low) * (double)base_random_uniform(random);
}

static problem draw(base_random *random, size_t d) {
    problem p = {.d = d};
    for (size_t i = 0; i < d; i++) {
        p.t[i] = between(random, -3, 3);
        for (size_t j = i; j < d; j++)
            p.r[i * d + j] = between(random, -1, 1);
        p.r[i * d + i] = between(random, 0.3, 1.5) * (base_random_below(random, 2) != 0 ? 1 : -1);
        p.ladders[i].spacing = between(random, 0.4, 1.2);
    }
    return p;
}

static double squared_distance(const problem *p, const double *x) {
    double sum = 0;
    for (size_t i = 0; i < p->d; i++) {
        double gap = -p->t[i];
        for (size_t j = i; j < p->d; j++)
            gap += p->r[i * p->d + j] * x[j];
        sum += gap * gap;
    }
    return sum;
}

static double rung(const admm_ladder *l, int64_t i, int64_t half) {
    return l->count == 0 ? (double)(i - half) * l->spacing : l->levels[i];
}

/* Over `rungs` of every coordinate (of an endless ladder, those about 0). */
static double least_of_all(const problem *p) {
    const int64_t half = 25;
    double least = INFINITY;
    int64_t at[MOST] = {0};
    for (size_t i = 0; i < p->d;) {
        double x[MOST];
        for (size_t j = 0; j < p->d; j++)
            x[j] = rung(&p->ladders[j], at[j], half);
        least = fmin(least, squared_distance(p, x));
        for (i = 0; i < p->d; i++) {
            const size_t count = p->ladders[i].count;
            if (++at[i] < (count == 0 ? 2 * half + 1 : (int64_t)count))
                break;
            at[i] = 0;
        }
    }
    return least;
}

static void expect_least(const problem *p) {
    double x[MOST];
    lattice_answer answer;
    assert_int_equal(lattice_closest(p->r, p->t, p->d, p->ladders, 0, NULL, x, &answer, NULL),
                     ADMMNN_OK);
    assert_true(answer.proven);
    assert_true(fabs(answer.distance2 - squared_distance(p, x)) <= 1e-9 * (1 + answer.distance2));
    assert_true(fabs(answer.distance2 - least_of_all(p)) <= 1e-9 * (1 + answer.distance2));
}

static void endless_grids_as_by_brute_force(void **state) {
    (void)state;
    base_random random = base_random_at(1, 0, 0);
    for (int i = 0; i < 60; i++) {
        const problem p = draw(&random, 1 + base_random_below(&random, 3));
        expect_least(&p);
    }
}

static void lists_of_levels_as_by_brute_force(void **state) {
    (void)state;
    base_random random = base_random_at(2, 0, 0);
    for (int i = 0; i < 400; i++) {
        problem p = draw(&random, 1 + base_random_below(&random, MOST));
        for (size_t j = 0; j < p.d; j++) {
            const size_t count = 1 + base_random_below(&random, 5);
            p.levels[j][0] = between(&random, -4, 1);
            for (size_t k = 1; k < count; k++)
                p.levels[j][k] = p.levels[j][k - 1] + between(&random, 0.1, 2);
            p.ladders[j] = (admm_ladder){.levels = p.levels[j], .count = count};
        }
        expect_least(&p);
    }
}

/* Even steps: narrow lists, whose ends matter, and wide ones, where they do not. */
static void boxes_as_by_brute_force(void **state) {
    (void)state;
    base_random random = base_random_at(5, 0, 0);
    for (int i = 0; i < 400; i++) {
        problem p = draw(&random, 1 + base_random_below(&random, MOST));
        for (size_t j = 0; j < p.d; j++) {
            const size_t count = 2 + base_random_below(&random, 4);
            const double step = between(&random, 0.1, 5);
            const double first = between(&random, -2.5, 0) * step;
            for (size_t k = 0; k < count; k++)
                p.levels[j][k] = first + (double)k * step;
            p.ladders[j] = (admm_ladder){.levels = p.levels[j], .count = count};
        }
        expect_least(&p);
    }
}

/* Without a node of the tree there is the point that single changes come to. */
static void a_list_has_a_point_before_its_tree(void **state) {
    (void)state;
    base_random random = base_random_at(6, 0, 0);
    for (int i = 0; i < 100; i++) {
        problem p = draw(&random, MOST);
        double x[MOST];
        lattice_answer answer;
        for (size_t j = 0; j < p.d; j++) {
            for (size_t k = 0; k < 3; k++)
                p.levels[j][k] = (double)(k * k) - 1;
            p.ladders[j] = (admm_ladder){.levels = p.levels[j], .count = 3};
        }
        assert_int_equal(lattice_closest(p.r, p.t, p.d, p.ladders, 1, NULL, x, &answer, NULL),
                         ADMMNN_OK);
        assert_true(fabs(answer.distance2 - squared_distance(&p, x)) <= 1e-9 * answer.distance2);
        for (size_t j = 0; j < p.d; j++)
            for (size_t k = 0; k < 3; k++) {
                const double kept = x[j];
                x[j] = p.levels[j][k];
                assert_true(squared_distance(&p, x) >= answer.distance2 * (1 - 1e-9));
                x[j] = kept;
            }
    }
}

/* With the coordinates as they come some of these have millions of nodes. */
static void the_order_cuts_the_tree(void **state) {
    (void)state;
    static const double ternary[] = {-1, 0, 1};
    base_random random = base_random_at(7, 0, 0);
    for (int i = 0; i < 10; i++) {
        double r[LONG * LONG] = {0};
        double t[LONG];
        double x[LONG];
        admm_ladder ladders[LONG];
        lattice_answer answer;
        for (size_t j = 0; j < LONG; j++) {
            t[j] = between(&random, -20, 20);
            ladders[j] = (admm_ladder){.levels = ternary, .count = 3};
            for (size_t k = j; k < LONG; k++)
                r[j * LONG + k] = between(&random, -1, 1);
            r[j * LONG + j] = j % 2 == 0 ? 0.3 : 3;
        }
        MUST(lattice_closest(r, t, LONG, ladders, 1000000, NULL, x, &answer, err));
        assert_true(answer.proven);
    }
}

static void what_cannot_be_solved_is_said(void **state) {
    (void)state;
    base_random random = base_random_at(3, 0, 0);
    double x[MOST];
    lattice_answer answer;
    admmnn_error err;
    problem p = draw(&random, 2);
    p.r[3] = 0;
    assert_int_equal(lattice_closest(p.r, p.t, 2, p.ladders, 0, NULL, x, &answer, &err),
                     ADMMNN_USAGE);
    assert_string_equal(err.message, "row 1 of the triangle is singular");
    p.r[3] = 1;
    p.r[1] = NAN;
    assert_int_equal(lattice_closest(p.r, p.t, 2, p.ladders, 0, NULL, x, &answer, &err),
                     ADMMNN_USAGE);
    assert_string_equal(err.message, "row 0 of the triangle is not finite");
    p.r[1] = 0.5;
    p.ladders[1].spacing = 0;
    assert_int_equal(lattice_closest(p.r, p.t, 2, p.ladders, 0, NULL, x, &answer, &err),
                     ADMMNN_USAGE);
    assert_string_equal(err.message, "coordinate 1 has no levels");
}

static bool at_once(void *user) {
    (void)user;
    return true;
}

static void limits_and_requests_to_stop_are_kept(void **state) {
    (void)state;
    base_random random = base_random_at(4, 0, 0);
    double x[MOST];
    lattice_answer answer;
    const problem p = draw(&random, 3);
    const admmnn_context context = {.cancelled = at_once};
    const double origin[MOST] = {0};
    assert_int_equal(lattice_closest(p.r, p.t, 3, p.ladders, 1, NULL, x, &answer, NULL), ADMMNN_OK);
    assert_false(answer.proven);
    assert_memory_equal(x, origin, 3 * sizeof *x); /* which no answer is farther than */
    assert_true(fabs(answer.distance2 - squared_distance(&p, origin)) <= 1e-9 * answer.distance2);
    assert_int_equal(lattice_closest(p.r, p.t, 3, p.ladders, 3, NULL, x, &answer, NULL), ADMMNN_OK);
    assert_int_equal(answer.nodes, 3);
    assert_false(answer.proven);
    assert_true(fabs(answer.distance2 - squared_distance(&p, x)) <= 1e-9 * answer.distance2);
    assert_int_equal(lattice_closest(p.r, p.t, 3, p.ladders, 0, &context, x, &answer, NULL),
                     ADMMNN_CANCELLED);
    /* Stopped while ends are left out, there is no point of the lists. */
    const double levels[] = {-1, 1};
    admm_ladder lists[3];
    for (size_t i = 0; i < 3; i++)
        lists[i] = (admm_ladder){.levels = levels, .count = 2};
    assert_int_equal(lattice_closest(p.r, p.t, 3, lists, 0, &context, x, &answer, NULL),
                     ADMMNN_CANCELLED);
    assert_true(answer.distance2 == INFINITY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endless_grids_as_by_brute_force),
        cmocka_unit_test(lists_of_levels_as_by_brute_force),
        cmocka_unit_test(boxes_as_by_brute_force),
        cmocka_unit_test(a_list_has_a_point_before_its_tree),
        cmocka_unit_test(the_order_cuts_the_tree),
        cmocka_unit_test(what_cannot_be_solved_is_said),
        cmocka_unit_test(limits_and_requests_to_stop_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
