// `<ringdown-phone>`, at /phone.js.
import { script } from "./tools/script.js";

export default script("src/plugin.tsx", "phone.js");
