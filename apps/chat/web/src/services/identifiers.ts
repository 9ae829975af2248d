/** 32 hexadecimal digits. crypto.randomUUID exists in secure contexts only, and the page may come over plain HTTP. */
export function newClientId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
