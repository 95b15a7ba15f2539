/* Ends and ticks of axes. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/svg.h"

/* What a fraction right is on the axis of accuracies: the tens of the error, the
 * better the higher. An error below one in a hundred thousand is drawn as that. */
#define LEAST_ERROR 1e-5

static double measure(const svg_axis *axis, double value) {
    switch (axis->scale) {
    case SVG_LOG:
        return log10(value);
    case SVG_ACCURACY:
        return -log10(fmax(1.0 - value, LEAST_ERROR));
    default:
        return value;
    }
}

double svg_axis_place(const svg_axis *axis, double value) {
    double share = (measure(axis, value) - axis->least) / (axis->most - axis->least);
    return share < 0 ? 0 : share > 1 ? 1 : share;
}

static void add_tick(svg_axis *axis, double value) {
    double at = measure(axis, value);
    double slack = 1e-9 * (fabs(axis->least) + fabs(axis->most));
    if (axis->tick_count < SVG_TICKS_MAX && at >= axis->least - slack && at <= axis->most + slack)
        axis->ticks[axis->tick_count++] = value;
}

/* 1, 2 or 5 times a power of ten, at least `wanted`. */
static double round_step(double wanted) {
    double power = pow(10.0, floor(log10(wanted)));
    const double steps[] = {1, 2, 5, 10};
    for (size_t i = 0; i < 4; i++)
        if (steps[i] * power >= wanted * (1 - 1e-9))
            return steps[i] * power;
    return 10 * power;
}

static void fit_linear(svg_axis *axis, double least, double most) {
    double step = round_step((most - least) / 5);
    axis->least = floor(least / step + 1e-9) * step;
    axis->most = ceil(most / step - 1e-9) * step;
    for (int i = 0; i <= 10; i++)
        add_tick(axis, axis->least + i * step);
}

/* Ticks at the mantissas given, in every stride-th decade. */
static void log_ticks(svg_axis *axis, const double *mantissas, size_t count, double stride) {
    axis->tick_count = 0;
    double first = floor(axis->least / stride) * stride;
    for (double decade = first; decade <= axis->most; decade += stride)
        for (size_t i = 0; i < count; i++)
            add_tick(axis, mantissas[i] * pow(10.0, decade));
}

/* Equal steps from low to high, where the scale's own ticks are too few. */
static void even_ticks(svg_axis *axis, double low, double high) {
    double step = round_step((high - low) / 8);
    axis->tick_count = 0;
    for (int i = 0; i <= 10; i++)
        add_tick(axis, (ceil(low / step) + i) * step);
}

static void fit_log(svg_axis *axis, double least, double most) {
    static const double fine[] = {1, 1.5, 2, 3, 4, 5, 6, 8};
    static const double middle[] = {1, 2, 5};
    axis->least = log10(least);
    axis->most = log10(most);
    double span = axis->most - axis->least;
    double margin = 0.05 * span;
    axis->least -= margin;
    axis->most += margin;
    if (span >= 3.5)
        log_ticks(axis, middle, 1, ceil(span / 7));
    else if (span >= 1.2)
        log_ticks(axis, middle, 3, 1);
    else
        log_ticks(axis, fine, 8, 1);
    if (axis->tick_count < 3)
        even_ticks(axis, pow(10.0, axis->least), pow(10.0, axis->most));
}

/* Accuracies people read: the error's 1, 2 and 5 in each decade. */
static void fit_accuracy(svg_axis *axis, double least, double most) {
    static const double errors[] = {0.9,    0.5,     0.2,     0.1,    0.05,   0.02,
                                    0.01,   0.005,   0.002,   0.001,  0.0005, 0.0002,
                                    0.0001, 0.00005, 0.00002, 0.00001};
    const size_t count = sizeof errors / sizeof errors[0];
    axis->least = measure(axis, least);
    axis->most = measure(axis, most);
    double margin = 0.06 * (axis->most - axis->least);
    axis->least -= margin;
    axis->most += margin;
    for (size_t i = 0; i < count; i++)
        add_tick(axis, 1.0 - errors[i]);
    if (axis->tick_count < 3)
        even_ticks(axis, 1.0 - pow(10.0, -axis->least), 1.0 - pow(10.0, -axis->most));
}

/* One value alone gets room on both sides. */
static void widen(const svg_axis *axis, double *least, double *most) {
    if (axis->scale == SVG_LOG) {
        if (*most / *least < 1.2) {
            *least /= 1.5;
            *most *= 1.5;
        }
        return;
    }
    if (axis->scale == SVG_ACCURACY) {
        if ((1 - *least) / fmax(1 - *most, LEAST_ERROR) < 1.2) {
            double error = fmax(1 - *least, LEAST_ERROR);
            *least = 1 - fmin(1, 1.5 * error);
            *most = 1 - error / 1.5;
        }
        return;
    }
    double size = fmax(fabs(*least), fabs(*most));
    if (*most - *least <= 1e-9 * size || *most == *least) {
        *least -= size > 0 ? 0.1 * size : 1;
        *most += size > 0 ? 0.1 * size : 1;
    }
}

void svg_axis_fit(svg_axis *axis, double least, double most) {
    axis->tick_count = 0;
    widen(axis, &least, &most);
    if (axis->scale == SVG_LOG)
        fit_log(axis, least, most);
    else if (axis->scale == SVG_ACCURACY)
        fit_accuracy(axis, least, most);
    else
        fit_linear(axis, least, most);
}

/* Beyond these bounds a figure is noise, and its logarithms and steps would not
 * be numbers. */
static bool usable(const svg_axis *axis, double value) {
    if (!isfinite(value) || fabs(value) > 1e100)
        return false;
    if (axis->scale == SVG_ACCURACY)
        return value >= 0 && value <= 1;
    return axis->scale != SVG_LOG || value > 1e-100;
}

bool svg_axis_fit_values(svg_axis *axis, const double *values, size_t count) {
    double least = 0;
    double most = 0;
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (!usable(axis, values[i]))
            continue;
        least = any ? fmin(least, values[i]) : values[i];
        most = any ? fmax(most, values[i]) : values[i];
        any = true;
    }
    if (!any)
        svg_axis_fit(axis, axis->scale == SVG_LOG ? 1 : 0, axis->scale == SVG_LOG ? 10 : 0.9);
    else
        svg_axis_fit(axis, least, most);
    return any;
}

void svg_axis_integers(svg_axis *axis, size_t first, size_t last) {
    axis->scale = SVG_LINEAR;
    axis->least = (double)first - 0.5;
    axis->most = (double)last + 0.5;
    axis->tick_count = 0;
    double step = fmax(1, round_step(((double)last - (double)first + 1) / 10));
    for (double at = ceil((double)first / step) * step; at <= (double)last; at += step)
        add_tick(axis, at);
}

void svg_number(char *out, size_t size, double value) {
    if (value != 0 && (fabs(value) >= 1e5 || fabs(value) < 1e-3))
        snprintf(out, size, "%.2g", value);
    else
        snprintf(out, size, "%.6g", value);
}
