/* Values of 8 bits: bytes that stand for multiples of a scale. */
#ifndef RT_CODES_H
#define RT_CODES_H

#include "network.h"

#define RT_CODE_MOST 255.0F

/* A finished number, which has half a step for rounding: it is cut off. A NaN becomes 0. */
static inline uint8_t rt_cut(float x) {
    const float low = x > 0.0F ? x : 0.0F;
    return (uint8_t)(int32_t)(low < RT_CODE_MOST ? low : RT_CODE_MOST);
}

static inline size_t rt_number_bytes(const rt_numbers *n) {
    return n->coded ? 1 : sizeof(float);
}

/* Where number i of an array of them is. */
static inline const void *rt_number_at(const rt_numbers *n, const void *from, size_t i) {
    return (const char *)from + i * rt_number_bytes(n);
}

static inline void *rt_number_place(const rt_numbers *n, void *to, size_t i) {
    return (char *)to + i * rt_number_bytes(n);
}

static inline bool rt_same_numbers(const rt_numbers *a, const rt_numbers *b) {
    return a->coded == b->coded && (!a->coded || (a->zero == b->zero && a->scale == b->scale));
}

/* Number i of an array of them. */
static inline float rt_get(const rt_numbers *n, const void *from, size_t i) {
    return n->coded ? (float)(((const uint8_t *)from)[i] - n->zero) * n->scale
                    : ((const float *)from)[i];
}

static inline void rt_put(const rt_numbers *n, void *to, size_t i, float x) {
    if (n->coded)
        ((uint8_t *)to)[i] = rt_cut(x / n->scale + (float)n->zero + 0.5F);
    else
        ((float *)to)[i] = x;
}

/* Those that the two bytes of the file tell; 0: floats. */
rt_numbers rt_numbers_of(unsigned range);

/* Codes without their scale as floats. */
void rt_widen(const uint8_t *from, size_t count, uint8_t zero, float *to);
/* Numbers from the first on as floats, and back; of floats a copy. */
void rt_read_numbers(const rt_numbers *n, const void *from, size_t first, size_t count, float *to);
void rt_write_numbers(const rt_numbers *n, const float *from, size_t count, void *to, size_t first);

#endif
