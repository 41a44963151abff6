/**
 * The package in a single file without workers and `import()`, for service workers and background scripts of
 * extensions, which allow neither. The engine runs in the same thread.
 *
 * @packageDocumentation
 */

import { listen } from "./engine/trap.js";

export * from "./index.js";

// Service workers only accept listeners for errors while they start.
listen();
