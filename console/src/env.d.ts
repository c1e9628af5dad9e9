declare module "virtual:words/en" {
  const words: Record<string, string>;
  export default words;
}
declare module "virtual:words/zh-CN" {
  const words: Record<string, string>;
  export default words;
}
declare module "*.css" {}
declare module "*.css?inline" {
  const css: string;
  export default css;
}
/** The words whose keys begin with "notice.", in both languages. */
declare module "virtual:words-of/notice" {
  const words: Record<"en" | "zh-CN", Record<string, string>>;
  export default words;
}
/** The same of "wake.". */
declare module "virtual:words-of/wake" {
  const words: Record<"en" | "zh-CN", Record<string, string>>;
  export default words;
}
