//! A WebAssembly object file, as described in the
//! [tool conventions](https://github.com/WebAssembly/tool-conventions/blob/main/Linking.md).

use wasm_encoder::{
    CodeSection, EntityType, FunctionSection, ImportSection, LinkingSection, MemoryType, Module, SymbolTable,
    TypeSection, ValType,
};

use crate::tile::{PARAMETERS, Tile};

/// The object file that defines these tiles' functions. They call nothing and refer to no addresses, so nothing in
/// it has to be relocated.
pub fn of(tiles: impl Iterator<Item = Tile>) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32; PARAMETERS as usize], []);
    let mut imports = ImportSection::new();
    imports.import("env", "__linear_memory", EntityType::Memory(memory()));
    let (mut functions, mut code, mut symbols) =
        (FunctionSection::new(), CodeSection::new(), SymbolTable::new());
    for (index, tile) in (0..).zip(tiles) {
        functions.function(0);
        code.function(&tile.function());
        symbols.function(0, index, Some(&tile.name()));
    }
    let mut linking = LinkingSection::new();
    linking.symbol_table(&symbols);
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&code).section(&linking);
    module.finish()
}

fn memory() -> MemoryType {
    MemoryType { minimum: 0, maximum: None, memory64: false, shared: false, page_size_log2: None }
}
