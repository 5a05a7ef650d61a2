declare module "igv" {
  const igv: any;
  export default igv;
}
