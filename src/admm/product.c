#include "admm/product.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/words.h"

/* Values a coordinate may have at most. */
#define LEVELS_MOST ((size_t)1 << 24)
#define EXPONENT_MOST 1000

struct admm_product {
    size_t dimension;
    double *levels;       /* that the ladders point to */
    admm_ladder *ladders; /* [dimension]; NULL: scales are fitted */
    size_t group;         /* coordinates with one scale */
};

void admm_product_free(admm_product *p) {
    if (p == NULL)
        return;
    base_free(p->levels);
    base_free(p->ladders);
    base_free(p);
}

size_t admm_product_dimension(const admm_product *p) {
    return p->dimension;
}

size_t admm_product_group(const admm_product *p) {
    return p->ladders == NULL ? p->group : 1;
}

const admm_ladder *admm_product_ladders(const admm_product *p) {
    return p->ladders;
}

/* ---- projection ---- */

/* The nearest a s with signs s: s = sign(v), a the mean of |v| (Rastegari et al. 2016). */
static void project_scaled(const double *v, double *z, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += fabs(v[i]);
    const double scale = sum / (double)count;
    for (size_t i = 0; i < count; i++)
        z[i] = v[i] > 0 ? scale : -scale;
}

void admm_product_project(const admm_product *p, const double *v, double *z) {
    for (size_t i = 0; p->ladders != NULL && i < p->dimension; i++)
        z[i] = admm_ladder_nearest(&p->ladders[i], v[i]);
    for (size_t i = 0; p->ladders == NULL && i < p->dimension; i += p->group)
        project_scaled(v + i, z + i, p->dimension - i < p->group ? p->dimension - i : p->group);
}

/* ---- making ---- */

static admmnn_status check_rising(const double *levels, size_t count, admmnn_error *err) {
    if (count == 0)
        return base_fail(err, ADMMNN_USAGE, "a list of levels is empty");
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(levels[i]))
            return base_fail(err, ADMMNN_USAGE, "level %zu is not finite", i);
        if (i > 0 && levels[i] <= levels[i - 1])
            return base_fail(err, ADMMNN_USAGE, "levels do not rise: %g after %g", levels[i],
                             levels[i - 1]);
    }
    return ADMMNN_OK;
}

static admmnn_status create(size_t dimension, size_t levels, admm_product **out,
                            admmnn_error *err) {
    if (dimension == 0)
        return base_fail(err, ADMMNN_USAGE, "a product of no sets");
    admm_product *p = base_array(1, sizeof *p);
    if (p == NULL)
        return base_fail_memory(err, "a product of sets");
    p->dimension = dimension;
    p->levels = base_array(levels, sizeof *p->levels);
    p->ladders = base_array(dimension, sizeof *p->ladders);
    if (p->levels == NULL || p->ladders == NULL) {
        admm_product_free(p);
        return base_fail_memory(err, "a product of sets");
    }
    *out = p;
    return ADMMNN_OK;
}

admmnn_status admm_product_lists(const double *levels, const size_t *start, size_t dimension,
                                 admm_product **out, admmnn_error *err) {
    for (size_t i = 0; i < dimension; i++) {
        if (start[i + 1] < start[i])
            return base_fail(err, ADMMNN_USAGE,
                             "the levels of coordinate %zu end before they start", i);
        admmnn_status status = check_rising(levels + start[i], start[i + 1] - start[i], err);
        if (status != ADMMNN_OK)
            return base_fail_within(err, status, "coordinate %zu", i);
    }
    BASE_TRY(create(dimension, start[dimension], out, err));
    memcpy((*out)->levels, levels, start[dimension] * sizeof *levels);
    for (size_t i = 0; i < dimension; i++)
        (*out)->ladders[i] =
            (admm_ladder){.levels = (*out)->levels + start[i], .count = start[i + 1] - start[i]};
    return ADMMNN_OK;
}

/* The same list for every coordinate. */
static admmnn_status make_list(const double *levels, size_t count, size_t dimension,
                               admm_product **out, admmnn_error *err) {
    BASE_TRY(check_rising(levels, count, err));
    BASE_TRY(create(dimension, count, out, err));
    memcpy((*out)->levels, levels, count * sizeof *levels);
    for (size_t i = 0; i < dimension; i++)
        (*out)->ladders[i] = (admm_ladder){.levels = (*out)->levels, .count = count};
    return ADMMNN_OK;
}

static admmnn_status make_endless(double spacing, size_t dimension, admm_product **out,
                                  admmnn_error *err) {
    BASE_TRY(create(dimension, 0, out, err));
    for (size_t i = 0; i < dimension; i++)
        (*out)->ladders[i].spacing = spacing;
    return ADMMNN_OK;
}

/* ---- names ---- */

/* What stands behind a set's name: its arguments, and where the product goes. */
typedef struct request {
    const char *text; /* of the whole, for errors */
    const double *values;
    size_t count, dimension;
    admm_product **out;
} request;

static admmnn_status fail_of(const request *r, admmnn_error *err, const char *what) {
    return base_fail(err, ADMMNN_USAGE, "set '%.80s': %s", r->text, what);
}

/* 0.3 / 0.1 is below 3: what is so near to a whole number was meant to be it. */
static double whole_or_between(double multiples) {
    const double whole = nearbyint(multiples);
    return fabs(multiples - whole) <= 1e-12 * fabs(whole) ? whole : multiples;
}

/* The multiples of a spacing from low to high. */
static admmnn_status make_box(const request *r, admmnn_error *err) {
    const double spacing = r->values[0];
    const double first = ceil(whole_or_between(r->values[1] / spacing));
    const double last = floor(whole_or_between(r->values[2] / spacing));
    if (!(first <= last))
        return fail_of(r, err, "no multiple lies between the two bounds");
    if (last - first >= (double)LEVELS_MOST || fabs(first) > 1e15 || fabs(last) > 1e15)
        return fail_of(r, err, "too many multiples lie between the bounds");
    const size_t count = (size_t)(last - first) + 1;
    double *levels = base_array(count, sizeof *levels);
    if (levels == NULL)
        return base_fail_memory(err, "the levels of a grid");
    for (size_t i = 0; i < count; i++)
        levels[i] = (first + (double)i) * spacing;
    admmnn_status status = make_list(levels, count, r->dimension, r->out, err);
    base_free(levels);
    return status;
}

static admmnn_status make_grid(const request *r, admmnn_error *err) {
    if ((r->count != 1 && r->count != 3) || !(r->values[0] > 0))
        return fail_of(r, err, "grid:D or grid:D:LOW:HIGH with D above 0 is what there is");
    return r->count == 3 ? make_box(r, err) : make_endless(r->values[0], r->dimension, r->out, err);
}

static admmnn_status make_powers(const request *r, admmnn_error *err) {
    const double first = r->count == 2 ? r->values[0] : NAN;
    const double last = r->count == 2 ? r->values[1] : NAN;
    if (!(first <= last && fabs(first) <= EXPONENT_MOST && fabs(last) <= EXPONENT_MOST &&
          first == floor(first) && last == floor(last)))
        return fail_of(r, err, "power-of-two:A:B with whole A <= B within +-1000 is what there is");
    const size_t powers = (size_t)(last - first) + 1;
    double levels[2 * (2 * EXPONENT_MOST + 1) + 1];
    levels[powers] = 0;
    for (size_t i = 0; i < powers; i++) {
        levels[powers + 1 + i] = ldexp(1, (int)first + (int)i);
        levels[powers - 1 - i] = -levels[powers + 1 + i];
    }
    return make_list(levels, 2 * powers + 1, r->dimension, r->out, err);
}

static admmnn_status make_binary(const request *r, admmnn_error *err) {
    static const double levels[] = {-1, 1};
    if (r->count != 0)
        return fail_of(r, err, "binary takes no numbers");
    return make_list(levels, 2, r->dimension, r->out, err);
}

static admmnn_status make_ternary(const request *r, admmnn_error *err) {
    static const double levels[] = {-1, 0, 1};
    if (r->count != 0)
        return fail_of(r, err, "ternary takes no numbers");
    return make_list(levels, 3, r->dimension, r->out, err);
}

static admmnn_status make_levels(const request *r, admmnn_error *err) {
    admmnn_status status = make_list(r->values, r->count, r->dimension, r->out, err);
    return status == ADMMNN_OK ? status : base_fail_within(err, status, "set '%.80s'", r->text);
}

static admmnn_status make_scaled(const request *r, admmnn_error *err) {
    const double group = r->count == 0 ? (double)r->dimension : r->values[0];
    if (r->count > 1 || !(group >= 1 && group == floor(group)))
        return fail_of(r, err, "scaled-binary:G with a whole number G above 0 is what there is");
    BASE_TRY(create(r->dimension, 0, r->out, err));
    base_free((*r->out)->ladders);
    (*r->out)->ladders = NULL;
    (*r->out)->group = group < (double)r->dimension ? (size_t)group : r->dimension;
    return ADMMNN_OK;
}

static const struct {
    const char *name;
    char between; /* its numbers */
    admmnn_status (*make)(const request *r, admmnn_error *err);
} sets[] = {
    {"grid", ':', make_grid},       {"binary", ':', make_binary},
    {"ternary", ':', make_ternary}, {"power-of-two", ':', make_powers},
    {"levels", ',', make_levels},   {"scaled-binary", ':', make_scaled},
};
#define SET_COUNT (sizeof sets / sizeof *sets)

/* The numbers from `text` on; NULL in *values when there are none. */
static admmnn_status read_numbers(const char *text, char between, double **values, size_t *count,
                                  admmnn_error *err) {
    const size_t most = strlen(text) / 2 + 1;
    *count = 0;
    *values = base_array(most, sizeof **values);
    if (*values == NULL)
        return base_fail_memory(err, "the numbers of a set");
    while (*text != 0) {
        char *end;
        const double value = strtod(text, &end);
        if (end == text || !isfinite(value) || (*end != between && *end != 0) ||
            (*end == between && end[1] == 0)) {
            base_free(*values);
            return base_fail(err, ADMMNN_USAGE, "'%.40s' is no list of numbers with '%c' between",
                             text, between);
        }
        (*values)[(*count)++] = value;
        text = *end == 0 ? end : end + 1;
    }
    return ADMMNN_OK;
}

static admmnn_status fail_unknown(const char *text, admmnn_error *err) {
    base_words names = {0};
    for (size_t i = 0; i < SET_COUNT; i++)
        base_words_add(&names, sets[i].name);
    return base_fail(err, ADMMNN_USAGE, "no set '%.80s'; there are %s", text, names.text);
}

admmnn_status admm_product_parse(const char *text, size_t dimension, admm_product **out,
                                 admmnn_error *err) {
    const size_t length = strcspn(text, ":");
    size_t s = 0;
    while (s < SET_COUNT &&
           (strlen(sets[s].name) != length || strncmp(sets[s].name, text, length) != 0))
        s++;
    if (s == SET_COUNT)
        return fail_unknown(text, err);
    request r = {.text = text, .dimension = dimension, .out = out};
    double *values;
    const char *numbers = text[length] == 0 ? text + length : text + length + 1;
    admmnn_status status = read_numbers(numbers, sets[s].between, &values, &r.count, err);
    if (status != ADMMNN_OK)
        return base_fail_within(err, status, "set '%.80s'", text);
    r.values = values;
    status = sets[s].make(&r, err);
    base_free(values);
    return status;
}
