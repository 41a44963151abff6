//! Compares the kernel table with the shaders as parsed by naga: bindings, access, parameter blocks, and
//! limits.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use mobilebert::config::Config;
use mobilebert::gpu::{Layout, launch};
use mobilebert::kernels::{Access, ENTRY_POINT, Kernel, Operation, WeightFormat, kernels};
use mobilebert::plan::{Network, Parameter, ParameterId, Request, Schedule};
use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{AddressSpace, Module, ShaderStage, StorageAccess, TypeInner};

/// WebGPU's guaranteed limits.
const STORAGE_BUFFERS: usize = 8;
const WORKGROUP_STORAGE: u32 = 16_384;
const INVOCATIONS: u32 = 256;
/// `unpack2x16float`, which WebGPU has without any optional feature.
const CAPABILITIES: Capabilities = Capabilities::SHADER_FLOAT16_IN_FLOAT32;
const WORKGROUP_SIDES: [u32; 3] = [256, 256, 64];

/// Lists all mismatches between a shader and its table entry.
fn mismatches(kernel: &Kernel, source: &str) -> Vec<String> {
    let module = match naga::front::wgsl::parse_str(source) {
        Ok(module) => module,
        Err(error) => return vec![error.emit_to_string(source)],
    };
    let mut found = Vec::new();
    if let Err(error) = Validator::new(ValidationFlags::all(), CAPABILITIES).validate(&module) {
        found.push(error.emit_to_string(source));
    }
    entry_point(&module, &mut found);
    bindings(kernel, &module, &mut found);
    parameters(kernel, &module, &mut found);
    workgroup_storage(&module, &mut found);
    found
}

fn entry_point(module: &Module, found: &mut Vec<String>) {
    let [entry] = module.entry_points.as_slice() else {
        found.push(format!("{} entry points", module.entry_points.len()));
        return;
    };
    if entry.name != ENTRY_POINT || entry.stage != ShaderStage::Compute {
        found.push(format!("entry point `{}`", entry.name));
    }
    let size = entry.workgroup_size;
    if size.iter().product::<u32>() > INVOCATIONS || size.iter().zip(WORKGROUP_SIDES).any(|(&n, max)| n > max)
    {
        found.push(format!("workgroup size {size:?}"));
    }
    if entry.workgroup_size_overrides.is_some() {
        found.push("the workgroup size is an override, which the executor doesn't set".to_owned());
    }
}

fn bindings(kernel: &Kernel, module: &Module, found: &mut Vec<String>) {
    let mut expected: BTreeSet<(u32, String, &str)> = BTreeSet::new();
    expected.insert((0, "parameters".to_owned(), "uniform"));
    for (index, binding) in kernel.bindings.iter().enumerate() {
        let access = match binding.access {
            Access::Read => "read",
            Access::Write => "read_write",
        };
        expected.insert((index as u32 + 1, binding.name.to_owned(), access));
    }
    let mut declared = BTreeSet::new();
    for (_, variable) in module.global_variables.iter() {
        let Some(binding) = &variable.binding else { continue };
        if binding.group != 0 {
            found.push(format!("group {}", binding.group));
        }
        let access = match variable.space {
            AddressSpace::Uniform => "uniform",
            AddressSpace::Storage { access } if access == StorageAccess::LOAD => "read",
            AddressSpace::Storage { .. } => "read_write",
            _ => "neither uniform nor storage",
        };
        declared.insert((binding.binding, variable.name.clone().unwrap_or_default(), access));
    }
    if expected != declared {
        found.push(format!("bindings in the table: {expected:?}, in the shader: {declared:?}"));
    }
    if kernel.bindings.len() > STORAGE_BUFFERS {
        found.push(format!("{} storage buffers", kernel.bindings.len()));
    }
}

fn parameters(kernel: &Kernel, module: &Module, found: &mut Vec<String>) {
    let uniform =
        module.global_variables.iter().find(|(_, variable)| variable.space == AddressSpace::Uniform);
    let Some((_, uniform)) = uniform else {
        found.push("no uniform block".to_owned());
        return;
    };
    let TypeInner::Struct { members, span } = &module.types[uniform.ty].inner else {
        found.push("the uniform block isn't a struct".to_owned());
        return;
    };
    let declared: Vec<(&str, usize)> = members
        .iter()
        .map(|member| (member.name.as_deref().unwrap_or_default(), member.offset as usize))
        .collect();
    if declared != kernel.parameters.members {
        found.push(format!(
            "members {:?} in the table, {declared:?} in the shader",
            kernel.parameters.members
        ));
    }
    if *span as usize != kernel.parameters.size {
        found.push(format!(
            "the block has {} bytes in the table, {span} in the shader",
            kernel.parameters.size
        ));
    }
    for member in members {
        // The only float; all other members are counts or flags.
        let float = member.name.as_deref() == Some("epsilon");
        let expected = TypeInner::Scalar(if float { naga::Scalar::F32 } else { naga::Scalar::U32 });
        let inner = &module.types[member.ty].inner;
        if *inner != expected && !is_array_of_counts(module, inner) {
            found.push(format!("member {:?} is {inner:?}", member.name));
        }
    }
}

/// Returns whether a type is an array of structs whose members are counts or flags, without gaps.
fn is_array_of_counts(module: &Module, inner: &TypeInner) -> bool {
    let TypeInner::Array { base, stride, .. } = inner else { return false };
    let TypeInner::Struct { members, .. } = &module.types[*base].inner else { return false };
    let counts =
        members.iter().all(|member| module.types[member.ty].inner == TypeInner::Scalar(naga::Scalar::U32));
    counts && *stride as usize == 4 * members.len()
}

fn workgroup_storage(module: &Module, found: &mut Vec<String>) {
    let context = module.to_ctx();
    let bytes: u32 = module
        .global_variables
        .iter()
        .filter(|(_, variable)| variable.space == AddressSpace::WorkGroup)
        .map(|(_, variable)| module.types[variable.ty].inner.size(context).next_multiple_of(16))
        .sum();
    if bytes > WORKGROUP_STORAGE {
        found.push(format!("{bytes} bytes of workgroup storage"));
    }
}

#[test]
fn every_shader_matches_its_table_entry() {
    for kernel in kernels() {
        let found = mismatches(kernel, &kernel.source());
        assert!(found.is_empty(), "{}:\n{}", kernel.name, found.join("\n"));
    }
}

#[test]
fn the_microbenchmarks_are_valid_within_the_guaranteed_limits() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/microbenchmarks");
    let files = std::fs::read_dir(folder).expect("shaders/microbenchmarks exists");
    let mut count = 0;
    for entry in files {
        let source = std::fs::read_to_string(entry.expect("can be read").path()).expect("in UTF-8");
        let module = naga::front::wgsl::parse_str(&source).unwrap();
        Validator::new(ValidationFlags::all(), CAPABILITIES).validate(&module).unwrap();
        let mut found = Vec::new();
        entry_point(&module, &mut found);
        assert_eq!(found, Vec::<String>::new());
        count += 1;
    }
    assert!(count > 0, "shaders/microbenchmarks is empty");
}

#[test]
fn every_shader_file_has_one_table_entry() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/shaders");
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("shaders/ exists") {
        let path = entry.expect("shaders/ can be read").path();
        if path.is_dir() {
            continue;
        }
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8").to_owned();
        let source = std::fs::read_to_string(&path).expect("a shader can be read");
        let kernel = kernels().find(|kernel| format!("{}.wgsl", kernel.name) == name);
        let kernel = kernel.unwrap_or_else(|| panic!("{name} isn't in the table"));
        let embedded: Vec<&str> =
            source.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
        let embedded = embedded.join("\n") + "\n";
        assert!(kernel.source().ends_with(&embedded), "the source in the table isn't {name}");
        assert!(source.starts_with(&format!("// {}: ", kernel.name)), "{name} has no header");
        files.insert(name);
    }
    assert_eq!(files.len(), kernels().count(), "every table entry has its own file: {files:?}");
}

#[test]
fn no_function_is_defined_in_two_shaders() {
    let mut seen = BTreeMap::new();
    for kernel in kernels() {
        let own = *kernel.wgsl.last().expect("a shader has parts");
        for function in own.split("\nfn ").skip(1).filter_map(|rest| rest.split("\n}").next()) {
            let other = seen.insert(function, kernel.name);
            assert_eq!(other, None, "also in {}; move it to shaders/shared: {function}", kernel.name);
        }
    }
    assert!(seen.len() > kernels().count(), "functions are found");
}

/// The promise of docs/architecture.md: a new kernel is a folder of three files, a shader, and a line in the list.
#[test]
fn every_operation_has_its_folder_with_three_files_and_its_shader() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = BTreeSet::new();
    for entry in std::fs::read_dir(root.join("src/kernels")).expect("src/kernels exists") {
        let path = entry.expect("src/kernels can be read").path();
        if path.join("gpu.rs").is_file() {
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8").to_owned();
            for file in ["mod.rs", "cpu.rs"] {
                assert!(path.join(file).is_file(), "{name} has no {file}");
            }
            let shader = root.join("shaders").join(format!("{name}.wgsl"));
            assert!(shader.is_file(), "{name} has no shader of its name");
            folders.insert(name);
        }
    }
    assert_eq!(folders, Operation::NAMES.iter().map(|name| (*name).to_owned()).collect());
}

/// Every operation has a kernel, and no kernel is unused.
#[test]
fn plans_use_exactly_the_kernels_of_the_table() {
    let mut used = BTreeSet::new();
    for fields in support::gpu::sample_configs() {
        let network = Network::of(&Config::from_json(fields.to_string()).unwrap()).unwrap();
        let layouts = |format: WeightFormat| -> Vec<Layout> {
            let of = |parameter: &Parameter| Layout {
                format: if parameter.shape.len() == 2 { format } else { WeightFormat::F32 },
                shape: parameter.shape.clone(),
                group: parameter.group.map(|group| group.index),
                offset: 0,
            };
            network.parameters.iter().map(of).collect()
        };
        for schedule in Schedule::ALL {
            let request = Request { batch: 2, sequence: 9, schedule, ..Request::default() };
            let Ok(plan) = network.plan(request) else {
                assert_eq!(schedule, Schedule::Chain, "{fields}");
                continue;
            };
            for step in &plan.steps {
                for layouts in WeightFormat::ALL.map(layouts) {
                    let launch = launch(&plan, step, &|id: ParameterId| layouts.get(id.0)).unwrap();
                    assert_eq!(launch.operands.len(), launch.kernel.bindings.len(), "{}", step.label);
                    assert_eq!(launch.parameters.len(), launch.kernel.parameters.size, "{}", step.label);
                    used.insert(launch.kernel.name);
                    used.extend(launch.short.map(|short| short.kernel.name));
                }
            }
        }
    }
    assert_eq!(used, kernels().map(|kernel| kernel.name).collect());
}

/// Each of these changes must be detected.
#[test]
fn changed_shaders_do_not_match() {
    let changes = [
        ("@binding(3)", "@binding(7)"),
        ("var<storage, read> weight", "var<storage, read> weights"),
        ("var<storage, read> residual", "var<storage, read_write> residual"),
        ("    in_features: u32,\n    out_features: u32,", "    out_features: u32,\n    in_features: u32,"),
        ("    has_scale: u32,\n", "    has_scale: u32,\n    more: u32,\n"),
        ("    has_scale: u32,\n", "    has_scale: i32,\n"),
        ("@workgroup_size(16, 4, 1)", "@workgroup_size(32, 32, 1)"),
        ("fn main(", "fn start("),
        ("const ROW_STEP", "var<workgroup> large: array<vec4<f32>, 1025>;\nconst ROW_STEP"),
        ("let columns = vec4", "let columns vec4"),
        ("var accumulator_0 = vec4<f32>();", "var accumulator_0 = vec3<f32>();"),
    ];
    let kernel = &mobilebert::kernels::linear::KERNEL;
    for (from, to) in changes {
        assert!(kernel.source().contains(from), "linear.wgsl doesn't contain `{from}`");
        let changed = kernel.source().replacen(from, to, 1);
        let found = mismatches(kernel, &changed);
        assert!(!found.is_empty(), "`{from}` → `{to}` wasn't detected");
    }
}
