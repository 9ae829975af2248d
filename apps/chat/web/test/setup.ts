import "@testing-library/jest-dom/vitest";
import { cleanup } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";

// jsdom has neither of these.
HTMLDialogElement.prototype.showModal = function (this: HTMLDialogElement) {
  this.open = true;
  this.querySelector<HTMLElement>("button, input")?.focus();
};
HTMLDialogElement.prototype.close = function (this: HTMLDialogElement) {
  this.open = false;
};
// What a browser does with Escape.
document.addEventListener("keydown", (event) => {
  const dialog = [...document.querySelectorAll("dialog")].at(-1);
  if (event.key === "Escape" && dialog?.open) dialog.dispatchEvent(new Event("cancel", { cancelable: true }));
});

beforeEach(() => {
  localStorage.clear();
  document.title = "Chat";
  window.history.replaceState(null, "", "/");
  vi.stubGlobal("matchMedia", (query: string) => ({
    matches: query.includes("min-width"),
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  }));
});

afterEach(() => {
  cleanup();
  delete document.documentElement.dataset["theme"];
  vi.useRealTimers();
});
