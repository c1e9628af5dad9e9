// The service worker of notices, at /notices.js.
import { script } from "./tools/script.js";

export default script("src/notices.ts", "notices.js");
