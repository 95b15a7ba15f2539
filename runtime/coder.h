/* The range decoder and the model of its bits (docs/format.md). Integer arithmetic only. */
#ifndef RT_CODER_H
#define RT_CODER_H

#include "reader.h"

typedef struct rt_coder {
    rt_reader *in;
    size_t start; /* the first byte's place */
    uint32_t low, high, code;
    uint64_t shifts; /* bytes that are settled */
    unsigned beyond; /* bytes read beyond the end */
} rt_coder;

void rt_coder_start(rt_coder *c, rt_reader *in);
/* More is asked for than an encoder may have left out: whoever decodes stops. */
bool rt_coder_failed(const rt_coder *c);
/* Whether the reader's bytes from start to end are those that an encoder of the same bits writes.
 */
bool rt_coder_is_whole(const rt_coder *c);
/* probability: of a 1, in 1/65536. */
unsigned rt_coder_bit(rt_coder *c, uint32_t probability);

/* What is known of a part of a bit's logit, in 1/65536. */
typedef struct rt_effect {
    int32_t mean, variance;
} rt_effect;

#define RT_EFFECTS_MAX 12

/* Effects of which nothing is known but their variance. */
void rt_effects_start(rt_effect *effects, size_t count, int32_t variance);
/* A bit whose logit is the sum of the effects, which learn from it. */
unsigned rt_effects_bit(rt_coder *c, rt_effect *const *effects, unsigned count);

#endif
