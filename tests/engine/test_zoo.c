/* The zoo's networks on small images: the whole gradient, by the difference of the loss along
 * it. Where a normalization has but a few elements this is too steep to tell. */
#include "doubles.h"
#include "instrumented.h"

#define SAMPLES 3
/* Kinks that the step crosses count too. */
#define BOUND 1e-4

static double loss(trial *t) {
    double sum = 0.0;
    trial_forward(t, true);
    for (size_t s = 0; s < SAMPLES; s++)
        for (size_t i = 0; i < t->outputs; i++)
            sum += sin((double)(s * t->outputs + i)) * trial_output(t, s)[i];
    return sum;
}

static double loss_along(trial *t, const double *direction, double step) {
    for (size_t i = 0; i < t->g->flat_count; i++)
        t->params[i] += step * direction[i];
    const double there = loss(t);
    for (size_t i = 0; i < t->g->flat_count; i++)
        t->params[i] -= step * direction[i];
    return there;
}

/* *length: that of the gradient by what is trained, which is left in it alone. */
static double *gradient_of(trial *t, double *length) {
    const graph *g = t->g;
    double *gradient = base_array(g->flat_count, sizeof *gradient);
    assert_non_null(gradient);
    loss(t);
    for (size_t s = 0; s < SAMPLES; s++) {
        reference_clear_gradients(t->r, s);
        for (size_t i = 0; i < t->outputs; i++)
            reference_gradient(t->r, s, g->output)[i] = sin((double)(s * t->outputs + i));
    }
    const double *all = reference_backward(t->r, t->params, &t->batch);
    *length = 0.0;
    for (uint32_t p = 0; p < g->parameter_count; p++) {
        const graph_parameter *parameter = &g->parameters[p];
        if (!graph_parameter_is_trained(parameter))
            continue;
        for (size_t i = parameter->offset; i < parameter->offset + parameter->count; i++) {
            gradient[i] = all[i];
            *length += all[i] * all[i];
        }
    }
    *length = sqrt(*length);
    return gradient;
}

static void expect_gradient(const char *name, uint32_t side) {
    graph *g;
    MUST(graph_zoo_create(name, graph_shape_image(3, side, side), 10, &g, err));
    trial t = trial_open(g, SAMPLES, 2);
    float *first = floats(g->flat_count);
    graph_initialise(g, 1, first);
    for (size_t i = 0; i < g->flat_count; i++)
        t.params[i] = (double)first[i];
    base_random random = base_random_at(1, 2, 3);
    for (size_t i = 0; i < SAMPLES * t.inputs; i++)
        t.input[i] = (double)base_random_normal(&random);
    double length;
    double *gradient = gradient_of(&t, &length);
    const double step = 1e-7 / length; /* a ten-millionth from here to there */
    const double slope =
        (loss_along(&t, gradient, step) - loss_along(&t, gradient, -step)) / (2.0 * step);
    if (!(fabs(slope - length * length) <= BOUND * length * length) || length == 0.0)
        fail_msg("%s: the slope along the gradient is %.9g, its square %.9g", name, slope,
                 length * length);
    base_free(first);
    base_free(gradient);
    trial_close(&t);
}

static void residual(void **state) {
    (void)state;
    expect_gradient("resnet-20", 16);
    if (instrumented_or(0, 1) != 0) /* such blocks again, only larger */
        expect_gradient("resnet-18", 32);
}

static void depthwise(void **state) {
    (void)state;
    expect_gradient("mobilenet-v1", 32);
    expect_gradient("mobilenet-v2", 64);
}

static void plain(void **state) {
    (void)state;
    expect_gradient("vgg-small", 8);
}

static void attending(void **state) {
    (void)state;
    expect_gradient("transformer-small", 12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(residual),
        cmocka_unit_test(depthwise),
        cmocka_unit_test(plain),
        cmocka_unit_test(attending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
