/* The quadratics that are drawn: their moments, and what is known of each beside its
 * optimum. */
#include "support.h"

#include "quadratic.h"

#include "admmq/quadratics.h"

#define D 4
#define STARTS 5
#define DRAWN 3000

static admmnn_quadratics_settings settings_of(double condition) {
    admmnn_quadratics_settings s;
    admmnn_quadratics_defaults(&s);
    s.dimension = D;
    s.starts = STARTS;
    s.condition = condition;
    s.nodes = 100; /* their optima are of no interest here */
    return s;
}

/* Means over many instances. */
typedef struct moments {
    double diagonal, beside, beside2; /* of Q, off its diagonal also squared */
    double b, b2, start, start2;
} moments;

static double mean_power(const double *values, size_t count, int power) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += pow(values[i], power) / (double)count;
    return sum;
}

static void add_moments(const quadratics_instance *p, moments *m) {
    for (size_t i = 0; i < D; i++) {
        m->diagonal += p->q[i * D + i] / D / DRAWN;
        for (size_t j = 0; j < i; j++) {
            assert_true(p->q[i * D + j] == p->q[j * D + i]);
            m->beside += p->q[i * D + j] / (D * (D - 1) / 2) / DRAWN;
            m->beside2 += pow(p->q[i * D + j], 2) / (D * (D - 1) / 2) / DRAWN;
        }
    }
    m->b += mean_power(p->b, D, 1) / DRAWN;
    m->b2 += mean_power(p->b, D, 2) / DRAWN;
    m->start += mean_power(p->starts, (size_t)STARTS * D, 1) / DRAWN;
    m->start2 += mean_power(p->starts, (size_t)STARTS * D, 2) / DRAWN;
}

static bool is_near(double value, double wanted, double off) {
    return fabs(value - wanted) <= off;
}

/* G'G has d on its diagonal in the mean and variance d beside it; v^2 qq' adds v^2 there and v^4
 * here. b has deviation 20 and starts 10. What is let pass is five standard errors. */
static void draws_have_the_published_moments(void **state) {
    (void)state;
    for (double v = 0; v <= 3; v += 3) {
        const admmnn_quadratics_settings s = settings_of(v);
        moments m = {0};
        for (uint32_t number = 0; number < DRAWN; number++) {
            quadratics_instance p;
            MUST(quadratics_create(&s, number, NULL, &p, err));
            add_moments(&p, &m);
            quadratics_free(&p);
        }
        assert_true(is_near(m.diagonal, D + v * v, 0.13 + 0.065 * v * v));
        assert_true(is_near(m.beside, 0, 0.08 + 0.04 * v * v));
        assert_true(is_near(m.beside2, D + pow(v, 4), 0.25 + 0.15 * pow(v, 4)));
        assert_true(is_near(m.b, 0, 1) && is_near(m.b2, 400, 26));
        assert_true(is_near(m.start, 0, 0.25) && is_near(m.start2, 100, 3));
    }
}

static void numbers_and_seeds_tell_instances_apart(void **state) {
    (void)state;
    admmnn_quadratics_settings s = settings_of(1);
    quadratics_instance p[4];
    for (uint32_t i = 0; i < 4; i++) { /* number 0, 1, 0 again, and of another seed */
        s.seed = i == 3 ? 2 : 1;
        MUST(quadratics_create(&s, i == 1, NULL, &p[i], err));
    }
    assert_memory_equal(p[0].q, p[2].q, sizeof(double[D * D]));
    assert_memory_equal(p[0].b, p[2].b, sizeof(double[D]));
    assert_memory_equal(p[0].starts, p[2].starts, sizeof(double[STARTS * D]));
    for (size_t i = 1; i < 4; i += 2) {
        assert_memory_not_equal(p[0].q, p[i].q, sizeof(double[D * D]));
        assert_memory_not_equal(p[0].starts, p[i].starts, sizeof(double[STARTS * D]));
    }
    for (size_t i = 0; i < 4; i++)
        quadratics_free(&p[i]);
}

static double value_of(const quadratics_instance *p, const double *x) {
    return quadratic_value(p->q, p->b, D, x);
}

/* Q x = -b, by Gauss and Jordan's elimination. */
static void find_minimum(const quadratics_instance *p, double *x) {
    double m[D][D + 1];
    for (size_t i = 0; i < D; i++) {
        memcpy(m[i], p->q + i * D, sizeof(double[D]));
        m[i][D] = -p->b[i];
    }
    for (size_t k = 0; k < D; k++)
        for (size_t i = 0; i < D; i++) {
            const double factor = m[i][k] / m[k][k];
            for (size_t j = 0; i != k && j <= D; j++)
                m[i][j] -= factor * m[k][j];
        }
    for (size_t i = 0; i < D; i++)
        x[i] = m[i][D] / m[i][i];
}

static void minima_and_their_rounding_are_known(void **state) {
    (void)state;
    const admmnn_quadratics_settings s = settings_of(2);
    for (uint32_t number = 0; number < 40; number++) {
        quadratics_instance p;
        double x[D];
        MUST(quadratics_create(&s, number, NULL, &p, err));
        find_minimum(&p, x);
        const double least = value_of(&p, x);
        assert_true(is_near(p.continuous, least, 1e-7 * fabs(least)));
        for (size_t i = 0; i < D; i++)
            x[i] = s.spacing * nearbyint(x[i] / s.spacing);
        const double rounded = value_of(&p, x);
        assert_true(is_near(p.rounded, rounded, 1e-7 * (fabs(rounded) + fabs(least))));
        quadratics_free(&p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_have_the_published_moments),
        cmocka_unit_test(numbers_and_seeds_tell_instances_apart),
        cmocka_unit_test(minima_and_their_rounding_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
