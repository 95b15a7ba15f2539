/* Quantization sets, alone or on a support. */
#include "admm/set_class.h"
#include "base/memory.h"

typedef struct level_set {
    admm_set set;
    admm_levels kind;
    unsigned bits;
    uint8_t *support;
    size_t count; /* of the support */
} level_set;

static admmnn_status project(admm_set *set, const float *v, float *z, size_t count,
                             admmnn_error *err) {
    const level_set *s = (const level_set *)set;
    if (s->support != NULL && s->count != count)
        return base_fail(err, ADMMNN_USAGE, "level set on a support of %zu got %zu values",
                         s->count, count);
    float q;
    BASE_TRY(admm_levels_fit(s->kind, s->bits, v, s->support, count, &q, NULL, err));
    for (size_t i = 0; i < count; i++) {
        bool inside = s->support == NULL || s->support[i] != 0;
        z[i] = inside && q > 0.0F
                   ? admm_level_value(s->kind, q, admm_level_code(s->kind, s->bits, q, v[i]))
                   : 0.0F;
    }
    return ADMMNN_OK;
}

static void release(admm_set *set) {
    base_free(((level_set *)set)->support);
    base_free(set);
}

static const admm_set_class level_class = {"levels", project, release};

admmnn_status admm_set_levels(admm_levels kind, unsigned bits, const uint8_t *support, size_t count,
                              admm_set **out, admmnn_error *err) {
    unsigned least = admm_levels_least_bits(kind);
    unsigned most = admm_levels_most_bits(kind);
    if (bits < least || bits > most)
        return base_fail(err, ADMMNN_USAGE, "levels of %u bits; there are %u to %u", bits, least,
                         most);
    level_set *s = base_array(1, sizeof *s);
    if (s == NULL)
        return base_fail_memory(err, "a level set");
    *s = (level_set){{&level_class}, kind, bits, NULL, count};
    if (support != NULL) {
        s->support = base_array_copy(support, count, 1);
        if (s->support == NULL) {
            base_free(s);
            return base_fail_memory(err, "a level set's support");
        }
    }
    *out = &s->set;
    return ADMMNN_OK;
}
