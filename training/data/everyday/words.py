"""Word lists for everyday texts."""

PEOPLE = (
    "Ana Ben Carla Dev Ella Femi Grace Hugo Ines Jack Kim Liam Mona Nina Omar Priya Quinn Rosa Sam Tariq Uma Vera Will "
    "Yara Zoe Aisha Bruno Clara Diego Emma Farid Greta Hanna Ivan Julia Karl Lena Marco Nora Oscar Paula Ravi Sofia Tom"
).split()
SURNAMES = (
    "Adams Berg Costa Diaz Evans Fischer Garcia Hall Ito Jensen Khan Lopez Meyer Novak Ortiz Patel Rossi Silva"
).split()
TOWNS = (
    "Ashby Brenton Carlow Dunmore Eastvale Farnley Glenford Harlow Ilminster Kirkby Langdon Marlow Norwood Oakham "
    "Penrose Redhill Selby Thornton Upton Wickham"
).split()
STREETS = "Mill Lane|Station Road|Elm Street|Harbor Street|Church Road|Park Avenue|Bridge Street|King Street".split("|")
MONTHS = "January February March April May June July August September October November December".split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
COLORS = "red green blue yellow orange white purple amber".split()
ROOMS = "Room 1|Room 2|Room 4|Room 12|Hall A|Hall B|the gym|the library|the studio|the annex".split("|")
CLASSES = "yoga|pottery|chess|spanish|swimming|drawing|judo|choir|first aid|sewing|tango|photography".split("|")
FOODS = "flour|sugar|butter|milk|rice|olive oil|cheese|yogurt|cocoa|honey|cream|tomato paste|spinach|vinegar".split("|")
COUNTED = "eggs|onions|carrots|lemons|potatoes|cloves of garlic|apples|peppers|bananas".split("|")
DISHES = "soup|bread|pancakes|carrot cake|curry|lasagne|apple pie|stew|omelette|muffins|salad|risotto".split("|")
BROUGHT = (
    "the salad|the drinks|a cake|the tent|paper plates|the speaker|a camera|the tickets|some chairs|the keys|the map|"
    "a projector|the balloons|bread|fruit|the grill"
).split("|")
DEVICES = "router|printer|kettle|heater|camera|thermostat|speaker|vacuum cleaner|dishwasher|alarm clock".split("|")
BUTTONS = "power|reset|menu|mode|start|pairing|timer|lock".split("|")
PLACES = "museum|library|pool|clinic|market|town hall|post office|gallery|zoo|castle|ice rink|theater".split("|")
GOODS = (
    "coffee|tea|soup of the day|cheese sandwich|orange juice|muffin|lemonade|bagel|green salad|hot chocolate"
).split("|")
WORKS = "bridge|tunnel|school|stadium|hospital|library|harbor|power station|tram line|dam".split("|")
TEAMS = "Rovers|Hawks|Tigers|United|Wanderers|Falcons|Comets|Lions".split("|")
NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split()
RELATIONS = (
    "my sister|my brother|my aunt|my uncle|our neighbor|my boss|a friend of mine|my grandmother|the caretaker|"
    "my roommate|his cousin|her daughter|their son|the woman next door|my colleague"
).split("|")
ANIMALS = "dog|cat|rabbit|parrot|horse|hamster|goat|tortoise|duck|pony".split("|")
PLANTS = "basil|fern|orchid|cactus|rose|lavender|ivy|tomato plant|olive tree|hydrangea".split("|")
JOBS = (
    "nurse|baker|electrician|teacher|driver|cook|gardener|carpenter|accountant|plumber|librarian|welder|dentist"
).split("|")
COMPANIES = "Norvik|Alder & Sons|Tessaly|Brightwell|Kestrel Foods|Lumora|Ostend Glass|Pinehurst|Quarry Tools".split("|")
MATERIALS = "oak|steel|wool|cotton|glass|leather|bamboo|aluminum|linen|copper|plastic".split("|")
