//! The functions that multiply a few rows with a panel of eight columns, with all sums in registers.

use wasm_encoder::{BlockType, Function, InstructionSink, MemArg, ValType};

/// Vectors of columns.
const VECTORS: u32 = 2;

/// Bytes per vector.
const VECTOR: u32 = 16;

/// Bytes of a row that one step multiplies: a float, or four bytes.
const STEP: u32 = 4;

/// Bits of a byte of a row.
const PLANE_BITS: i32 = 7;

// The parameters, addresses and numbers of bytes unless stated otherwise; see `src/tiles.rs`.
const ROWS: u32 = 0;
const STRIDE: u32 = 1;
const PANEL: u32 = 2;
/// Rows of the panel.
const LENGTH: u32 = 3;
const SUMS: u32 = 4;
const SUMS_STRIDE: u32 = 5;

/// Number of parameters.
pub const PARAMETERS: u32 = 6;

/// The end of the panel.
const END: u32 = 6;
/// The current step's row of the panel.
const PANEL_ROW: u32 = 7;
/// 1 while low planes are multiplied, otherwise 0.
const IS_LOW_PLANE: u32 = 8;
/// The address of the current step's value in the first row. Those of the other rows follow, and then the vectors.
const FIRST_VALUE: u32 = 9;

/// What a step computes.
#[derive(Clone, Copy)]
pub enum Operation {
    /// Multiplies a float of each row with a vector of floats, and adds the products.
    Floats,
    /// Multiplies four bytes of each row with four bytes per column, and adds the products; first those of the rows'
    /// high planes, then those of their low planes.
    Bytes,
}

/// A function for a number of rows.
pub struct Tile {
    /// What a step computes.
    pub operation: Operation,
    /// Rows.
    pub rows: u32,
}

impl Tile {
    /// The name of its symbol.
    pub fn name(&self) -> String {
        match self.operation {
            Operation::Floats => format!("float_tile_{}", self.rows),
            Operation::Bytes => format!("byte_tile_{}", self.rows),
        }
    }

    /// Its code.
    pub fn function(&self) -> Function {
        let addresses = FIRST_VALUE + self.rows - PARAMETERS;
        let vectors = 1 + VECTORS + self.rows * VECTORS;
        let mut function = Function::new([(addresses, ValType::I32), (vectors, ValType::V128)]);
        let mut code = function.instructions();
        code.local_get(PANEL).local_get(LENGTH).i32_const((VECTOR * VECTORS) as i32).i32_mul();
        code.i32_add().local_set(END);
        match self.operation {
            Operation::Floats => {
                self.start(&mut code);
                self.multiply(&mut code);
            }
            Operation::Bytes => self.multiply_planes(&mut code),
        }
        for row in 0..self.rows {
            for vector in 0..VECTORS {
                code.local_get(SUMS).local_get(self.sum(row, vector)).v128_store(at(VECTOR * vector));
            }
            code.local_get(SUMS).local_get(SUMS_STRIDE).i32_add().local_set(SUMS);
        }
        code.end();
        function
    }

    /// Multiplies the high planes, shifts the sums, and adds the products of the low planes.
    fn multiply_planes(&self, code: &mut InstructionSink<'_>) {
        code.loop_(BlockType::Empty);
        self.start(code);
        self.multiply(code);
        code.local_get(IS_LOW_PLANE).i32_eqz().if_(BlockType::Empty);
        for sum in self.sums() {
            code.local_get(sum).i32_const(PLANE_BITS).i32x4_shl().local_set(sum);
        }
        code.i32_const(1).local_set(IS_LOW_PLANE);
        code.local_get(ROWS).local_get(STRIDE).i32_const(1).i32_shr_u().i32_add().local_set(ROWS);
        code.br(1).end().end();
    }

    /// Sets the addresses of the first step.
    fn start(&self, code: &mut InstructionSink<'_>) {
        code.local_get(ROWS).local_set(FIRST_VALUE);
        for row in 1..self.rows {
            code.local_get(FIRST_VALUE + row - 1).local_get(STRIDE).i32_add().local_set(FIRST_VALUE + row);
        }
        code.local_get(PANEL).local_set(PANEL_ROW);
    }

    /// Multiplies the rows with the panel, two steps at a time after the first one of an odd number.
    fn multiply(&self, code: &mut InstructionSink<'_>) {
        code.local_get(LENGTH).i32_const(1).i32_and().if_(BlockType::Empty);
        self.steps(code, 1);
        code.end();
        code.block(BlockType::Empty);
        code.local_get(PANEL_ROW).local_get(END).i32_eq().br_if(0);
        code.loop_(BlockType::Empty);
        self.steps(code, 2);
        code.local_get(PANEL_ROW).local_get(END).i32_ne().br_if(0).end().end();
    }

    /// Computes some steps, and advances the addresses.
    fn steps(&self, code: &mut InstructionSink<'_>, steps: u32) {
        let value = self.vector(0);
        for step in 0..steps {
            for vector in 0..VECTORS {
                let offset = VECTOR * (VECTORS * step + vector);
                code.local_get(PANEL_ROW).v128_load(at(offset)).local_set(self.vector(1 + vector));
            }
            for row in 0..self.rows {
                code.local_get(FIRST_VALUE + row).v128_load32_splat(at(STEP * step)).local_set(value);
                for vector in 0..VECTORS {
                    let (columns, sum) = (self.vector(1 + vector), self.sum(row, vector));
                    self.add_products(code, value, columns, sum);
                }
            }
        }
        for row in 0..self.rows {
            advance(code, FIRST_VALUE + row, STEP * steps);
        }
        advance(code, PANEL_ROW, VECTOR * VECTORS * steps);
    }

    fn add_products(&self, code: &mut InstructionSink<'_>, value: u32, columns: u32, sum: u32) {
        match self.operation {
            Operation::Floats => {
                code.local_get(value).local_get(columns).local_get(sum).f32x4_relaxed_madd();
            }
            // The second operand has seven bits.
            Operation::Bytes => {
                code.local_get(columns).local_get(value).local_get(sum);
                code.i32x4_relaxed_dot_i8x16_i7x16_add_s();
            }
        }
        code.local_set(sum);
    }

    fn sums(&self) -> impl Iterator<Item = u32> {
        (0..self.rows).flat_map(move |row| (0..VECTORS).map(move |vector| self.sum(row, vector)))
    }

    /// The local of a sum.
    fn sum(&self, row: u32, vector: u32) -> u32 {
        self.vector(1 + VECTORS + row * VECTORS + vector)
    }

    /// The local of a vector.
    fn vector(&self, index: u32) -> u32 {
        FIRST_VALUE + self.rows + index
    }
}

fn advance(code: &mut InstructionSink<'_>, address: u32, bytes: u32) {
    code.local_get(address).i32_const(bytes as i32).i32_add().local_set(address);
}

/// Memory at an offset from an address of any alignment.
fn at(offset: u32) -> MemArg {
    MemArg { offset: offset.into(), align: 0, memory_index: 0 }
}
