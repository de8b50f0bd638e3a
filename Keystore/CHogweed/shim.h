// What a chip's sessions need of hogweed (P-256) and nettle (AES-128-CFB), as C because both are
// macros and function pointers there. For Keystore/TPM alone.
#include <gmp.h>
#include <malloc.h>
#include <nettle/aes.h>
#include <nettle/cfb.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>
#include <stdlib.h>
#include <string.h>

// gmp keeps scalars and coordinates on the ordinary heap: what it gives back is zeroized. The size is
// the allocator's own, because gmp's is not always the block's.
static inline void st_gmp_free(void *block, size_t size) {
    (void)size;
    if (block) explicit_bzero(block, malloc_usable_size(block));
    free(block);
}
static inline void *st_gmp_allocate(size_t size) {
    void *block = malloc(size);
    if (!block) abort();
    return block;
}
static inline void *st_gmp_reallocate(void *old, size_t old_size, size_t size) {
    void *block = st_gmp_allocate(size);
    memcpy(block, old, old_size < size ? old_size : size);
    st_gmp_free(old, old_size);
    return block;
}

static inline void st_coordinate(mpz_t value, uint8_t *out) {
    size_t length = mpz_sgn(value) ? mpz_sizeinbase(value, 256) : 0;
    memset(out, 0, 32);
    mpz_export(out + 32 - length, NULL, 1, 1, 1, 0, value);
}

// scalar · point on P-256; without a point the generator. Points are 64 bytes, x and y, each padded in
// front. Returns 0 for a scalar outside of 1..n-1 and for what is no point of the curve.
static inline int st_p256_multiply(const uint8_t *_Nonnull scalar, const uint8_t *_Nullable point,
                                   uint8_t *_Nonnull product) {
    mp_set_memory_functions(st_gmp_allocate, st_gmp_reallocate, st_gmp_free);
    const struct ecc_curve *curve = nettle_get_secp_256r1();
    struct ecc_scalar factor;
    struct ecc_point result;
    mpz_t x, y;
    mpz_inits(x, y, NULL);
    ecc_scalar_init(&factor, curve);
    ecc_point_init(&result, curve);
    mpz_import(x, 32, 1, 1, 1, 0, scalar);
    int good = ecc_scalar_set(&factor, x);
    if (good && point) {
        mpz_import(x, 32, 1, 1, 1, 0, point);
        mpz_import(y, 32, 1, 1, 1, 0, point + 32);
        good = ecc_point_set(&result, x, y);
        if (good) ecc_point_mul(&result, &factor, &result);
    } else if (good) {
        ecc_point_mul_g(&result, &factor);
    }
    if (good) {
        ecc_point_get(&result, x, y);
        st_coordinate(x, product);
        st_coordinate(y, product + 32);
    }
    ecc_point_clear(&result);
    ecc_scalar_clear(&factor);
    mpz_clears(x, y, NULL);
    return good;
}

// AES-128-CFB over whole and partial blocks, in place. `key` is 16 bytes and the 16 of the IV, which
// is used up.
static inline void st_aes128_cfb(void *_Nonnull memory, int encrypts, uint8_t *_Nonnull key,
                                 size_t length, uint8_t *_Nonnull bytes) {
    struct aes128_ctx *context = (struct aes128_ctx *)memory;
    aes128_set_encrypt_key(context, key);
    (encrypts ? cfb_encrypt : cfb_decrypt)(context, (nettle_cipher_func *)aes128_encrypt,
                                           AES_BLOCK_SIZE, key + 16, length, bytes, bytes);
}
