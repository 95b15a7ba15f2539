/* The kernels of batch_kernels.h, compiled once per instruction set by batch_2.c,
 * batch_4.c and batch_8.c, which define
 *   LANES  doubles in a vector
 *   TILE   rows of a register tile of the product, times VECTORS
 *   TABLE  the table's name */
#include "admm/batch_kernels.h"

#include <math.h>

#define VECTORS 3
#define WIDTH (LANES * VECTORS)

typedef double vec __attribute__((vector_size(LANES * 8)));
typedef int64_t veci __attribute__((vector_size(LANES * 8)));
typedef uint64_t vecu __attribute__((vector_size(LANES * 8)));

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

INLINE const vec *vec_of(const double *p) {
    return (const vec *)(const void *)p;
}

INLINE vec *vec_at(double *p) {
    return (vec *)(void *)p;
}

INLINE vecu *vecu_at(uint64_t *p) {
    return (vecu *)(void *)p;
}

INLINE vec splat(double value) {
    return (vec){0} + value;
}

INLINE vec select_vec(veci mask, vec a, vec b) {
    return (vec)((mask & (veci)a) | (~mask & (veci)b));
}

INLINE vec square_root(vec v) {
    UNROLL for (int i = 0; i < LANES; i++) v[i] = sqrt(v[i]);
    return v;
}

/* The nearest level, of two as near the even one: adding and taking away 1.5 * 2^52 rounds
 * to a whole number. */
INLINE vec nearest(const batch_system *s, vec z) {
    const vec shift = splat(0x1.8p52);
    return ((z * s->inverse_spacing + shift) - shift) * s->spacing;
}

/* out[padded][WIDTH] = matrix[padded][d] * in[d][WIDTH] - offset[padded]. */
INLINE void multiply(const batch_system *s, const double *matrix, const double *offset,
                     const double *in, double *out) {
    for (size_t i = 0; i < s->padded; i += TILE) {
        vec sum[TILE][VECTORS];
        const double *row = matrix + i * s->d;
        UNROLL for (int r = 0; r < TILE; r++) {
            UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] = splat(-offset[i + (size_t)r]);
        }
        for (size_t j = 0; j < s->d; j++) {
            const vec *column = vec_of(in + j * WIDTH);
            UNROLL for (int r = 0; r < TILE; r++) {
                const vec entry = splat(row[(size_t)r * s->d + j]);
                UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] += entry * column[v];
            }
        }
        UNROLL for (int r = 0; r < TILE; r++) {
            UNROLL for (int v = 0; v < VECTORS; v++) vec_at(out + (i + (size_t)r) * WIDTH)[v] =
                sum[r][v];
        }
    }
}

INLINE void add(const batch_system *s, const double *from, double *to) {
    for (size_t i = 0; i < s->d * VECTORS; i++)
        vec_at(to)[i] += vec_of(from)[i];
}

static void soft(const batch_system *s, batch_block *b) {
    vec distance2[VECTORS] = {{0}};
    vec part[VECTORS]; /* of the gap that y leaves */
    for (size_t i = 0; i < s->d; i++) {
        UNROLL for (int v = 0; v < VECTORS; v++) {
            const vec z = vec_of(b->x + i * WIDTH)[v] + vec_of(b->u + i * WIDTH)[v];
            const vec to = nearest(s, z);
            vec_at(b->projected + i * WIDTH)[v] = to;
            vec_at(b->right + i * WIDTH)[v] = z - to;
            distance2[v] += (z - to) * (z - to);
        }
    }
    UNROLL for (int v = 0; v < VECTORS; v++) {
        const vec distance = square_root(distance2[v]);
        const vec most = vec_of(b->most)[v];
        part[v] = select_vec(distance <= most, (vec){0}, 1 - most / distance);
    }
    for (size_t i = 0; i < s->d; i++) {
        UNROLL for (int v = 0; v < VECTORS; v++) {
            vec *u = vec_at(b->u + i * WIDTH) + v;
            vec *right = vec_at(b->right + i * WIDTH) + v;
            const vec y = vec_of(b->projected + i * WIDTH)[v] + part[v] * *right;
            *right = y - *u;
            *u -= y;
        }
    }
    multiply(s, s->matrix, s->offset, b->right, b->x);
    add(s, b->x, b->u);
}

/* Two draws of 32 bits a call. */
INLINE vecu draw(vecu *state0, vecu *state1) {
    vecu s1 = *state0;
    const vecu s0 = *state1;
    const vecu result = s0 + s1;
    *state0 = s0;
    s1 ^= s1 << 23;
    *state1 = s1 ^ s0 ^ (s1 >> 18) ^ (s0 >> 5);
    return result;
}

static void randomised(const batch_system *s, batch_block *b) {
    UNROLL for (int v = 0; v < VECTORS; v++) {
        vecu state0 = vecu_at(b->random[0])[v];
        vecu state1 = vecu_at(b->random[1])[v];
        const veci threshold = (veci)vecu_at(b->threshold)[v];
        vecu bits = {0};
        for (size_t i = 0; i < s->d; i++) {
            bits = i % 2 == 0 ? draw(&state0, &state1) : bits >> 32;
            vec *u = vec_at(b->u + i * WIDTH) + v;
            vec *y = vec_at(b->y + i * WIDTH) + v;
            const vec to = nearest(s, vec_of(b->x + i * WIDTH)[v] + *u);
            vec_at(b->projected + i * WIDTH)[v] = to;
            *y = select_vec((veci)(bits & 0xffffffffU) < threshold, to, *y);
            vec_at(b->right + i * WIDTH)[v] = *y - *u;
            *u -= *y;
        }
        vecu_at(b->random[0])[v] = state0;
        vecu_at(b->random[1])[v] = state1;
    }
    multiply(s, s->matrix, s->offset, b->right, b->x);
    add(s, b->x, b->u);
}

static void gradient(const batch_system *s, batch_block *b) {
    multiply(s, s->matrix, s->offset, b->x, b->right);
    for (size_t i = 0; i < s->d * VECTORS; i++)
        vec_at(b->x)[i] = nearest(s, vec_of(b->right)[i]);
}

static void descent(const batch_system *s, batch_block *b) {
    multiply(s, s->matrix, s->offset, b->x, b->right);
    for (size_t i = 0; i < s->d * VECTORS; i++) {
        vec_at(b->x)[i] = vec_of(b->right)[i];
        vec_at(b->projected)[i] = nearest(s, vec_of(b->right)[i]);
    }
}

static void evaluate(const batch_system *s, const double *points, double *scratch, double *values) {
    vec sum[VECTORS] = {{0}};
    multiply(s, s->q, s->b, points, scratch); /* Qx - b; half of it and 3/2 b are wanted */
    for (size_t i = 0; i < s->d; i++) {
        UNROLL for (int v = 0; v < VECTORS; v++) sum[v] +=
            vec_of(points + i * WIDTH)[v] * (0.5 * vec_of(scratch + i * WIDTH)[v] + 1.5 * s->b[i]);
    }
    UNROLL for (int v = 0; v < VECTORS; v++) vec_at(values)[v] = sum[v];
}

const batch_kernels TABLE = {.width = WIDTH,
                             .tile = TILE,
                             .soft = soft,
                             .randomised = randomised,
                             .gradient = gradient,
                             .descent = descent,
                             .evaluate = evaluate};
