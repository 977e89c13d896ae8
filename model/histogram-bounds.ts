// Bounds of native histogram buckets. Bit-equal to Prometheus': quantiles, trims and zero buckets compare with them.

/** Schema of histograms whose bounds are listed (custom buckets). */
export const CUSTOM_SCHEMA = -53;
/** Schemas -4 to 8: 2^schema buckets for each power of two. */
export const EXPONENTIAL_SCHEMA_MIN = -4;
export const EXPONENTIAL_SCHEMA_MAX = 8;

export function isExponentialSchema(schema: number): boolean {
  return schema >= EXPONENTIAL_SCHEMA_MIN && schema <= EXPONENTIAL_SCHEMA_MAX;
}

/**
 * The upper bound of bucket `index`, which is also the lower bound of bucket index + 1. Of an exponential schema:
 * 2^(index / 2^schema), positive. Of the custom schema: bound number `index`, -Inf below the first, +Inf above the last.
 */
export function bucketBound(index: number, schema: number, customBounds: Float64Array): number {
  if (schema !== CUSTOM_SCHEMA) return exponentialBound(index, schema);
  if (index < 0) return -Infinity;
  return index < customBounds.length ? customBounds[index]! : Infinity;
}

function exponentialBound(index: number, schema: number): number {
  if (schema <= 0) {
    const exponent = index * 2 ** -schema;
    // The bucket of the largest numbers ends with the largest finite one.
    return exponent === 1024 ? Number.MAX_VALUE : 2 ** exponent;
  }
  const fraction = FRACTIONS[(index & ((1 << schema) - 1)) << (8 - schema)]!;
  const exponent = (index >> schema) + 1;
  if (exponent > 1024) return exponent === 1025 && fraction === 0.5 ? Number.MAX_VALUE : Infinity;
  return exponent === 1024 ? fraction * 2 * 2 ** 1023 : fraction * 2 ** exponent;
}

/** The bucket of a schema lower by `shift` that bucket `index` is a part of. */
export function mergedIndex(index: number, shift: number): number {
  return ((index - 1) >> shift) + 1;
}

/**
 * 2^(i/256) / 2 for i = 0..255 as Prometheus computed them once (178 are not the nearest double, so no formula will
 * do): the lower 7 bytes of each, big-endian; the first byte is always 3f.
 */
const FRACTION_BYTES = [
  '4AAAAAAAAOALGvpavL/gFj2p+zM14CFoFDsCgeAsmj53gGHgN9QuEbvM4EMV6G5/hOBOX3L2VLHgWbDTFYV04GUKDjwfieBwaynd9t3ge9Qrcqg2',
  '4IdFGHWbyOCSvfZmB+Dgnj7KxvOD4KnHmx85GeC1WGz5iQ/gwPFF5GyF4MySK3JH9uDYOyM5Xerg4+wy09Gi4O+lX9+pxeD7Zq/+0xrhBzAo1yM9',
  '4RMB0BJbUOEe26teKrXhKr3AbDHL4TaoFPIEquFCmq6pLd/hTpWTTzEt4VqYyKWOUOFmpFRxw8Hhcrg8fVF74X7UhpW7wOGK+TiMjenhlyZYN10v',
  '4aNb62/LdeGvmfgTihzhu+CEBFzT4cgvlSgca+HUhzFouarh4OdetEAm4e1QIvzZHOH5wYQ4zkziBjuIYozW4hK+NXioGeIfSZF93JXiK92ieRLQ',
  '4jh6bnViOOJFH/uCFAriUc5PsqY+4l6FcR7OdOJrRWXifN3ieA40Hd8q4oTf4fVjgOKRunWRu2/inp31H97h4quKZtEPE+K4f9Da2Y/ixX45dxsu',
  '4tKFpuQDC+Lflh9kFYni7K+pPi9V4vnSSr2IauMG/goxtxXjFDLt7rL94yFw/EzYMeMuuDuo6jLjPAiyZBb/40liZuP6LeNWxV+Sn/DjZDGi3og6',
  '43GnNzqpyuN/JiMedUnjjK5tBdhk45pAG3FA7eOn2zTln/bjtX+/7Gz048MtwxOo4+PQ5UTt4XLj3qZMEjQi4+xw3xxRdeP6RQSsgBvkCCLDZ6Ak',
  '5BYKIfcuKuQj+ycJRorkMfXZUKiW5D/6P4S51OROCGBhiS3kXCBCp9Iy5GpB7R0AV+R4bWaLMjbkhqK1wTzQ5JTh4ZKu0uSjKvDX097ksX3qbbfX',
  '5L/a1TYqJ+TOQbgXwRTk3LKZ/d0N5Ostgdir/uT5snadLKflCEF/RTHv5Rbaos9mQuUlfeg/Tu/lNCtWnU+B5ULi9PatJ+VRpMpdkg3lYHDd6RDQ',
  '5W9HNrUn2uV+J9vixM/ljRLUl8f85ZwIJ/8Hy+WrB91IVCnluhH7qHoC5ckmillGtuXYRZCZi5Ll528VrSFI5fajINzrceYF4bl23AjmFSrmzfb0',
  '5iR+sDpVhOYz3R0ZKf3mQ0Y0zMMe5lK5/ryPteZiOIJVIiTmccHHCDP15oFV1EypcuaQ9LGelTfmoJ5mfzvM5rBS+nUXPubAEnUL2r7mz9zd1HZF',
  '5t+yPGUaLubvkphZOuTm/335UZSC5w90ZvQuhecfdejsX3PnL4KG6tCJ5z+aSKWBcudPvTXXy/znX+tWQmfI53AksatuCeeAaU/eXT7nkLk4rBz1',
  '56EUc+sBhuexewl2z9rnwe0BMMEx59JqYv+G7+fi8zbPTmHn84eEkcSQ6AQnVD4aEOgU0q3RBtjoJYmZTM4R6DZMHrlB9uhHGkYjx6voV/QXn1sf',
  '6GjZm0SS6+h5ytkxpDXoisfZimaX6JvQpHhYDeis5UIqoNvovgW61hd46M8yFrVEi+jgal4IZtjo8a6ZFXc26QL+0CgsiukUWwuR/8XpJcNTqi/i',
  '6Tc3sM3F5OlIuCtfmOTpWkTLyFIN6WvdmnZwsel9gp/eTk/pjzPkeiKi6aDxcMoHuOmyu01T/gvpxJGCo/CP6dZ0GUu41OnoYxnjIyHp+l6NB/Kc',
  '6gxme13lZOoeeu2OuLvqMJvsSi0y6kLJgEYK1+pVA7I+JVvqZ0qK9GBR6nmeEzCzVuqL/lPBLlfqnmtVef2+6rDlITVuuerDa7/T83jq1f86PCdz',
  '6uifmVrTrOr7TOYi8v7rDgcpjbZj6yDObJqJUOszorhPFfrrRoQVt0mw61lyjeVZOOtsbinxxSnrf3by+15F65KM8idJ4uulsDChBkfruOC3mm8d',
  '68wekEvB0OvfacPzogXr8sJb1x4G7AYoYUGzO+wZm92FUprsLRzZ+mUq7ECrX//QeOxUR3j6+yDsZ/EuV9FJ7HuoiYjJMeyPbZQG57Lso0BXUcTY',
  '7Lcg3O+QZuzLDy5tFnLs3wtVXcP27PMVW1urcO0HLUoHiXntG1MrCMlm7S+HCA2J7u1DyOrKodPtWBjc+6SG7Wx26GLm0u2A4xbJg5btlV1x/2B0',
  '7anmA9syhO2+fNY6gxPt0yHzAbRe7efVZBwGVu38lzN7m13uEWdrGX0W7iZGFPWhJu47MzsW7g/uUC7niz/17mU5JGdtde56UfvHTIHuj3l3zbc+',
  '7qSvoqSQ2O659IZ8ym3uz0gtjmfu7uSqohiFDu76G+5hWibvD5wctkEp7yUrN2u6le86yUjdcnLvUHZbbkU+72YyeYhE9u97/a2cvhDvkdgCJDyG',
  '76fBgZ6Q1u+9ujaS1RLv08Irj3Hu7+nZayoj1g==',
].join('');

const FRACTIONS = decodeFractions();

function decodeFractions(): Float64Array {
  const bytes = atob(FRACTION_BYTES);
  const view = new DataView(new ArrayBuffer(8));
  view.setUint8(0, 0x3f);
  return Float64Array.from({ length: 256 }, (_, i) => {
    for (let k = 0; k < 7; k++) view.setUint8(k + 1, bytes.charCodeAt(i * 7 + k));
    return view.getFloat64(0);
  });
}
