// The worker of the web app, at /worker.js of the directory.
import { script } from "./tools/script.js";

export default script("src/app/worker.ts", "worker.js", "dist/app");
