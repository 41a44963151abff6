/** Destroys the device of the thread that evaluates this during the next run, before its commands are recorded. */
export function loseGpuInNextRun() {
  const original = GPUDevice.prototype.createCommandEncoder;
  GPUDevice.prototype.createCommandEncoder = function (...given) {
    GPUDevice.prototype.createCommandEncoder = original;
    const encoder = original.apply(this, given);
    this.destroy();
    return encoder;
  };
}
