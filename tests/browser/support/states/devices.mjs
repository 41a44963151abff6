import { ask, loseGpu, openReady } from "../index-page.mjs";

const reason = (page, words) =>
  page.waitForFunction((words) => document.querySelector("#device-reason").textContent.includes(words), {}, words);

/** Loses the GPU this many times, each time during a question. */
async function lose(page, address, times) {
  await openReady(page, address, "?device=webgpu");
  for (let i = 0; i < times; i++) {
    await loseGpu(page);
    await ask(page, "How tall is the tower?");
  }
  await page.click("#device summary");
}

/** States of the device. */
export const devices = {
  device: {
    async enter(page, { address }) {
      await openReady(page, address);
      await page.click("#device summary");
    },
  },
  "device-cpu": {
    async enter(page, { address }) {
      await openReady(page, address, "?device=wasm");
      await page.click("#device summary");
    },
  },
  "device-webgpu": {
    gpu: true,
    async enter(page, { address }) {
      await openReady(page, address, "?device=webgpu");
      await page.click("#device summary");
    },
  },
  "device-lost": {
    gpu: true,
    async enter(page, { address }) {
      await lose(page, address, 1);
      await reason(page, "reloaded on it");
    },
  },
  "device-given-up": {
    gpu: true,
    async enter(page, { address }) {
      await lose(page, address, 2);
      await reason(page, "the CPU took over");
    },
  },
};
